// bucketline mount: objects as read-only files.
#include "bucketline/channel/mount.h"

#include <chrono>
#include <cstdint>
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/line_file.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"

namespace bucketline::cli {
namespace {

constexpr uint64_t kShownKeys = 5;

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  std::string folder;
  std::string report;
  MountOptions mount;
};

// Keys that cannot be paths: all of them in a file of JSON lines, the first few on standard error.
class LeftOutKeys {
 public:
  explicit LeftOutKeys(const std::string& path) : file_(path) {}

  void Add(std::string_view key, std::string_view reason) {
    if (file_.is_open()) {
      const nlohmann::ordered_json line = {{"key", key}, {"reason", reason}};
      file_.Write(line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
    }
    if (count_++ < kShownKeys) fmt::print(stderr, "bucketline: left out \"{}\": {}\n", key, reason);
  }

  uint64_t count() const { return count_; }

 private:
  LineFile file_;
  uint64_t count_ = 0;
};

void PrintMounted(const Mount& mount, const Args& args, uint64_t left_out, double seconds, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"folder", args.folder},
                                           {"files", mount.files()},
                                           {"folders", mount.folders()},
                                           {"left_out", left_out},
                                           {"mount_seconds", seconds}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} is at {}: {} files in {} folders; {} keys left out; Ctrl-C unmounts it\n",
               args.dataset.uri, args.folder, mount.files(), mount.folders() + 1, left_out);
  }
  std::fflush(stdout);
}

void PrintSummary(const Mount& mount, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"bytes_read", mount.bytes_read()},
                                           {"failed_reads", mount.failed_reads()}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} read, {} reads failed\n", FormatByteSize(mount.bytes_read()), mount.failed_reads());
  }
}

int Run(Args& args, bool json, const std::stop_token& stop) {
  Runtime runtime(args.connection.runtime);
  const Dataset dataset = args.dataset.Open(runtime);
  const auto listed = std::chrono::steady_clock::now();
  LeftOutKeys left_out(args.report);
  args.mount.left_out = [&](std::string_view key, std::string_view reason) { left_out.Add(key, reason); };
  Mount mount(dataset, MountPathStart(dataset), args.folder, args.mount);
  if (left_out.count() > kShownKeys) {
    fmt::print(stderr, "bucketline: {} more keys were left out{}\n", left_out.count() - kShownKeys,
               args.report.empty() ? "; --report FILE names all" : "");
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - listed;
  PrintMounted(mount, args, left_out.count(), elapsed.count(), json);
  mount.WaitUntilGone(stop);
  PrintSummary(mount, json);
  return kDone;
}

}  // namespace

void AddMount(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("mount", "objects as read-only files below a folder, until Ctrl-C");
  args->dataset.AddTo(*sub, "none");
  for (const char* name : {"--labels", "--label-key", "--label-field"})
    sub->remove_option(sub->get_option(name));
  sub->get_option("--extensions")->default_str("all");
  args->dataset.extensions = "";
  sub->add_option("folder", args->folder, "an empty folder; it is made if it is not there")->required();
  AddByteSize(*sub, "--memory", args->mount.memory,
              "of objects that is held at a time, at least 16MiB [256MiB]");
  sub->add_flag("--allow-other", args->mount.allow_other, "other users of this machine may read it too");
  sub->add_option("--report", args->report, "file for the keys that cannot be paths, as JSON lines");
  sub->add_flag("--json", invocation.json, "what is mounted, and at the end what was read, as JSON lines");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) { return Run(*args, invocation.json, stop); };
  });
}

}  // namespace bucketline::cli
