// bucketline get: many objects in parallel, to a folder or to nowhere.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/dataset/download.h"
#include "bucketline/store/file_store.h"
#include "bucketline/store/make_folder.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  std::string to;
  bool discard = false;
  size_t parallel = 16;
};

std::unique_ptr<ObjectStore> OpenTarget(const Args& args) {
  if (args.discard) return nullptr;
  MakeFolder(args.to);
  return MakeFileStore(args.to, args.parallel, FileCommit::kVisible);
}

void PrintSummary(const DownloadReport& report, double seconds, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"objects", report.objects},
                                           {"bytes", report.bytes},
                                           {"failed", report.failed},
                                           {"seconds", seconds}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} objects, {} in {:.2f} s ({}/s)\n", report.objects, FormatByteSize(report.bytes), seconds,
               FormatByteSize(static_cast<uint64_t>(static_cast<double>(report.bytes) / seconds)));
  }
}

int Run(const Args& args, bool json, std::stop_token stop) {
  RuntimeOptions connecting = args.connection.runtime;
  // Nothing but bytes moves here, and one network thread carries about 1 GB/s of them.
  connecting.network_threads = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  Runtime runtime(connecting);
  const Dataset dataset = args.dataset.Open(runtime);
  const std::unique_ptr<ObjectStore> target = OpenTarget(args);
  LiveLine line;
  DownloadOptions options;
  options.parallel = args.parallel;
  options.progress = [&](uint64_t objects, uint64_t bytes) {
    line.Update(
        [&] { return fmt::format("{}/{} objects, {}", objects, dataset.size(), FormatByteSize(bytes)); });
  };
  const auto start = std::chrono::steady_clock::now();
  const DownloadReport report = Download(dataset, target.get(), options, std::move(stop));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  line.Clear();
  for (const Error& error : report.failures) fmt::print(stderr, "bucketline: {}\n", error.what());
  PrintSummary(report, elapsed.count(), json);
  if (report.failed == 0) return kDone;
  fmt::print(stderr, "bucketline: {} of {} objects failed\n", report.failed, dataset.size());
  return kFailed;
}

}  // namespace

void AddGet(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("get", "read objects, to a folder or to nowhere");
  args->dataset.format = "objects";  // a shard is copied as it is
  args->dataset.AddTo(*sub, "none");
  sub->get_option("--extensions")->default_str("all");
  args->dataset.extensions = "";
  auto* to = sub->add_option("--to", args->to, "folder to write below; keys can never leave it");
  auto* discard = sub->add_flag("--discard", args->discard, "read and drop, to measure");
  to->excludes(discard);
  sub->add_option("--parallel", args->parallel, "reads at once: of objects, or of 8 MiB pieces of large ones")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  sub->add_flag("--json", invocation.json, "the summary as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    if (args->to.empty() && !args->discard) throw CLI::RequiredError("--to FOLDER or --discard");
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
