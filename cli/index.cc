// bucketline index: lists once and saves the manifest.
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  std::string output;
};

int Run(const Args& args, bool json) {
  Runtime runtime(args.connection.runtime);
  const Dataset dataset = args.dataset.Open(runtime);
  dataset.Save(args.output);
  if (json) {
    const nlohmann::ordered_json object = {{"records", dataset.size()},
                                           {"bytes", dataset.total_bytes()},
                                           {"classes", dataset.classes()},
                                           {"fingerprint", fmt::format("{:016x}", dataset.fingerprint())},
                                           {"manifest", args.output}};
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} records, {}, fingerprint {:016x} -> {}\n", dataset.size(),
               FormatByteSize(dataset.total_bytes()), dataset.fingerprint(), args.output);
  }
  return kDone;
}

}  // namespace

void AddIndex(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("index", "list once, save the manifest, open it later without listing");
  args->dataset.AddTo(*sub, "none");
  sub->add_option("--output,-o", args->output, "where to save it: a path or URI that ends in .manifest")
      ->required();
  sub->add_flag("--json", invocation.json, "the summary as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token) { return Run(*args, invocation.json); };
  });
}

}  // namespace bucketline::cli
