// bucketline cache: what a cache holds, whether it is whole, and away with it.
#include <memory>

#include "cli/command.h"
#include "cli/live_line.h"
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/cache/cache_report.h"

namespace bucketline::cli {
namespace {

struct Args {
  std::string folder;
  std::string dataset;
};

std::string TimeText(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(
                         std::chrono::time_point_cast<std::chrono::system_clock::duration>(time))));
}

int Status(const Args& args, bool json) {
  const CacheStatus status = ReadCacheStatus(args.folder);
  nlohmann::ordered_json datasets = nlohmann::ordered_json::array();
  for (const CacheDatasetStatus& dataset : status.datasets) {
    datasets.push_back({{"dataset", dataset.name},
                        {"entries", dataset.entries},
                        {"bytes", dataset.bytes},
                        {"last_used", TimeText(dataset.last_used)},
                        {"in_use", dataset.in_use}});
  }
  if (json) {
    const nlohmann::ordered_json object = {{"folder", args.folder},     {"limit_bytes", status.limit},
                                           {"used_bytes", status.used}, {"in_use", status.in_use},
                                           {"counted", status.counted}, {"datasets", datasets}};
    fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return kDone;
  }
  fmt::print("{} of {} used{}{}\n", FormatByteSize(status.used), FormatByteSize(status.limit),
             status.in_use ? ", in use now" : "",
             status.counted ? "" : "; to be counted by the next process that uses it");
  for (const CacheDatasetStatus& dataset : status.datasets) {
    fmt::print("{:>12} entries {:>12}  {}{}\n", dataset.entries, FormatByteSize(dataset.bytes), dataset.name,
               dataset.in_use ? ", in use now" : ", last used " + TimeText(dataset.last_used));
  }
  return kDone;
}

int Verify(const Args& args, bool json, const std::stop_token& stop) {
  LiveLine line;
  const CacheCheck check = VerifyCache(
      args.folder,
      [&](uint64_t entries) { line.Update([&] { return fmt::format("{} entries read", entries); }); }, stop);
  line.Clear();
  if (json) {
    const nlohmann::ordered_json object = {{"folder", args.folder},
                                           {"entries", check.entries},
                                           {"bytes", check.bytes},
                                           {"damaged", check.damaged}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} entries, {}; {} damaged{}\n", check.entries, FormatByteSize(check.bytes), check.damaged,
               check.damaged > 0 ? " and removed" : "");
  }
  return check.damaged > 0 ? kFailed : kDone;
}

int Clear(const Args& args, bool json) {
  const uint64_t freed = ClearCache(args.folder, args.dataset);
  if (json) {
    const nlohmann::ordered_json object = {{"folder", args.folder}, {"freed_bytes", freed}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} freed\n", FormatByteSize(freed));
  }
  return kDone;
}

}  // namespace

void AddCache(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* cache = app.add_subcommand("cache", "look at the cache of a machine, check it, empty it");
  cache->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, auto run) {
    CLI::App* sub = cache->add_subcommand(name, help);
    sub->add_option("folder", args->folder, "of the cache, as --cache names it")->required();
    sub->add_flag("--json", invocation.json, "the result as JSON");
    sub->callback([args, &invocation, run] {
      invocation.run = [args, &invocation, run](const std::stop_token& stop) {
        return run(*args, invocation.json, stop);
      };
    });
    return sub;
  };
  add("status", "its limit, what is used, and by which datasets",
      [](const Args& a, bool json, const std::stop_token&) { return Status(a, json); });
  add("verify", "read every entry and remove those that are damaged: exit code 1 when there were any",
      Verify);
  add("clear", "remove the entries, also while jobs use it",
      [](const Args& a, bool json, const std::stop_token&) { return Clear(a, json); })
      ->add_option("--dataset", args->dataset, "only those of this one, as status names it");
}

}  // namespace bucketline::cli
