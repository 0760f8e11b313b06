// bucketline diff: what changed between two manifests.
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/dataset/saved_manifest.h"
#include "bucketline/records/manifest_diff.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  std::string before;
  std::string after;
  bool count_only = false;
};

void PrintOne(const Record* before, const Record* after, bool json) {
  const char* const what = before == nullptr ? "added" : after == nullptr ? "removed" : "changed";
  const char mark = before == nullptr ? '+' : after == nullptr ? '-' : '~';
  const std::string& key = (before != nullptr ? before : after)->key;
  if (json) {
    const nlohmann::ordered_json line = {{"change", what}, {"key", key}};
    fmt::print("{}\n", line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{} {}\n", mark, key);
  }
}

int Run(const Args& args, bool json, const std::stop_token& stop) {
  Runtime runtime(args.connection.runtime);
  DatasetOptions options;
  options.stop = stop;
  const Manifest before = ReadManifest(runtime, Uri::Parse(args.before), options);
  const Manifest after = ReadManifest(runtime, Uri::Parse(args.after), options);
  const ManifestDifference difference = DiffManifests(
      before, after,
      [&](const Record* a, const Record* b) {
        if (!args.count_only) PrintOne(a, b, json);
      },
      stop);
  if (json) {
    const nlohmann::ordered_json object = {{"added", difference.added},
                                           {"removed", difference.removed},
                                           {"changed", difference.changed},
                                           {"same", difference.same}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} added, {} removed, {} changed, {} the same\n", difference.added, difference.removed,
               difference.changed, difference.same);
  }
  return kDone;
}

}  // namespace

void AddDiff(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub =
      app.add_subcommand("diff", "what was added, removed and changed between two saved manifests");
  sub->add_option("before", args->before, "the older .manifest, a path or a URI")->required();
  sub->add_option("after", args->after, "the newer one")->required();
  sub->add_flag("--count", args->count_only, "only the closing line");
  sub->add_flag("--json", invocation.json, "JSON lines, the totals last");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](const std::stop_token& stop) {
      return Run(*args, invocation.json, stop);
    };
  });
}

}  // namespace bucketline::cli
