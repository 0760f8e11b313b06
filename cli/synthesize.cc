// bucketline synthesize: a labelled image set made from nothing, put into a bucket.
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/exec/parallel.h"
#include "bucketline/inspect/synthetic_images.h"
#include "bucketline/store/blocking.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  std::string uri;
  uint64_t images = 600;
  int size = 96;
  uint64_t seed = 0;
  size_t parallel = 8;
};

struct Progress {
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> objects{0};
  std::atomic<uint64_t> bytes{0};
  std::mutex mutex;              // guards failure
  std::optional<Error> failure;  // the first
};

void PutUntilDone(const Args& args, ObjectStore& store, const std::string& prefix, std::stop_token stop,
                  Progress& progress, LiveLine& line) {
  for (uint64_t index; !stop.stop_requested() && (index = progress.next++) < args.images;) {
    const Result<void> put = Catch([&] {
      const SyntheticImage image = MakeSyntheticImage(index, args.seed, args.size);
      PutBytes(store, prefix + image.key, image.jpeg, {.content_type = "image/jpeg"});
      progress.bytes += image.jpeg.size();
    });
    if (!put.ok()) {
      std::lock_guard lock(progress.mutex);
      if (!progress.failure) progress.failure = put.error();
      progress.next = args.images;
      return;
    }
    const uint64_t objects = ++progress.objects;
    line.Update([&] { return fmt::format("{}/{} images", objects, args.images); });
  }
}

int Run(const Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  const Uri uri = Uri::Parse(args.uri).Join("");
  const std::shared_ptr<ObjectStore> store = runtime.StoreFor(uri);
  const std::string prefix = Runtime::KeyOf(uri);
  LiveLine line;
  Progress progress;
  RunOnThreads(args.parallel, "bl-put", [&] { PutUntilDone(args, *store, prefix, stop, progress, line); });
  line.Clear();
  if (progress.failure) throw *progress.failure;
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped; what was put stays", args.uri);
  if (json) {
    const nlohmann::ordered_json object = {{"objects", progress.objects.load()},
                                           {"bytes", progress.bytes.load()},
                                           {"classes", SyntheticClasses()}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} images, {} -> {}\n", progress.objects.load(), FormatByteSize(progress.bytes.load()),
               uri.ToString());
  }
  return kDone;
}

}  // namespace

void AddSynthesize(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub =
      app.add_subcommand("synthesize", "put a labelled image set made from nothing, for a first try");
  sub->add_option("uri", args->uri, "s3://bucket/prefix/ or a folder")->required();
  sub->add_option("--images", args->images)->check(CLI::Range(1, 10'000'000))->capture_default_str();
  sub->add_option("--size", args->size, "height and width in pixels")
      ->check(CLI::Range(16, 4096))
      ->capture_default_str();
  sub->add_option("--seed", args->seed)->capture_default_str();
  sub->add_option("--parallel", args->parallel, "objects at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  sub->add_flag("--json", invocation.json, "the summary as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
