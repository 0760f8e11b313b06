// bucketline put: the files of a folder into a bucket.
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/dataset/download.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  std::string folder;
  std::string uri;
  size_t parallel = 16;
};

int Run(const Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  const Dataset files = Dataset::Open(runtime, args.folder, {.extensions = {}});
  const Uri prefix = Uri::Parse(args.uri).Join("");
  const std::shared_ptr<ObjectStore> target = runtime.StoreFor(prefix);
  LiveLine line;
  DownloadOptions options;
  options.parallel = args.parallel;
  options.target_prefix = Runtime::KeyOf(prefix);
  options.progress = [&](uint64_t objects, uint64_t bytes) {
    line.Update(
        [&] { return fmt::format("{}/{} objects, {}", objects, files.size(), FormatByteSize(bytes)); });
  };
  const DownloadReport report = Download(files, target.get(), options, std::move(stop));
  line.Clear();
  for (const Error& error : report.failures) fmt::print(stderr, "bucketline: {}\n", error.what());
  if (json) {
    const nlohmann::ordered_json object = {
        {"objects", report.objects}, {"bytes", report.bytes}, {"failed", report.failed}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} objects, {} -> {}\n", report.objects, FormatByteSize(report.bytes), args.uri);
  }
  return report.failed == 0 ? kDone : kFailed;
}

}  // namespace

void AddPut(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("put", "write the files of a folder below a prefix");
  sub->add_option("folder", args->folder, "every file below it is written under its relative path")
      ->required();
  sub->add_option("uri", args->uri, "s3://bucket/prefix/")->required();
  sub->add_option("--parallel", args->parallel, "objects at once")
      ->check(CLI::Range(1, 1024))
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
