// bucketline index: lists once and saves the manifest.
#include "bucketline/dataset/index.h"

#include <chrono>
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/dataset/listing_log.h"
#include "bucketline/dataset/saved_manifest.h"
#include "bucketline/records/synthetic_manifest.h"
#include "bucketline/store/blocking.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  IndexOptions index;
  std::string inventory;
  uint64_t synthetic = 0;
};

void Print(const Args& args, const Dataset& dataset, const std::vector<std::string>& notes, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"records", dataset.size()},
                                           {"bytes", dataset.total_bytes()},
                                           {"classes", dataset.classes()},
                                           {"fingerprint", fmt::format("{:016x}", dataset.fingerprint())},
                                           {"notes", notes},
                                           {"manifest", args.index.output}};
    fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  for (const std::string& note : notes) fmt::print("{}\n", note);
  fmt::print("{} records, {}, fingerprint {:016x} -> {}\n", dataset.size(),
             FormatByteSize(dataset.total_bytes()), dataset.fingerprint(), args.index.output);
}

int List(const Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  DatasetArgs dataset_args = args.dataset;
  std::vector<std::string> notes;
  dataset_args.stop = stop;
  std::string state;
  const Dataset dataset = dataset_args.OpenWith(
      runtime, dataset_args.uri, [&](const std::vector<std::string>& uris, DatasetOptions* options) {
        options->listing.note = [&](const std::string& line) { notes.push_back(line); };
        options->listing.inventory = args.inventory;
        state = PrepareIndex(runtime, uris, args.index, options);
      });
  dataset.Save(args.index.output, {}, std::move(stop));
  if (!state.empty()) RemoveListingLog(state);
  Print(args, dataset, notes, json);
  return kDone;
}

int Synthesize(const Args& args, bool json) {
  using Seconds = std::chrono::duration<double>;
  Runtime runtime(args.connection.runtime);
  const auto start = std::chrono::steady_clock::now();
  const Uri output = Uri::Parse(args.index.output);
  uint64_t bytes = 0;
  {
    const Bytes made = SyntheticManifest(args.synthetic).ToBytes();
    PutBytes(*runtime.StoreFor(output), Runtime::KeyOf(output), made.span());
    bytes = made.size();
  }
  const auto saved = std::chrono::steady_clock::now();
  const Manifest manifest = ReadManifest(runtime, output);
  if (manifest.Key(manifest.size() - 1).empty()) throw Error(ErrorCode::kInternal, "a record without a key");
  const Seconds opened = std::chrono::steady_clock::now() - saved;
  const nlohmann::ordered_json object = {
      {"records", manifest.size()},
      {"bytes_per_record", static_cast<double>(bytes) / static_cast<double>(manifest.size())},
      {"open_seconds", opened.count()},
      {"make_seconds", Seconds(saved - start).count()},
      {"fingerprint", fmt::format("{:016x}", manifest.fingerprint())},
      {"manifest", args.index.output}};
  if (json) {
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} synthetic records, {:.1f} bytes a record, open after {:.4f} s -> {}\n", manifest.size(),
               object["bytes_per_record"].get<double>(), opened.count(), args.index.output);
  }
  return kDone;
}

}  // namespace

void AddIndex(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand("index", "list once, save the manifest, open it later without listing");
  args->dataset.AddTo(*sub, "none");
  sub->add_option("--output,-o", args->index.output, "where to save it: a path or URI that ends in .manifest")
      ->required();
  CLI::Option* const resume =
      sub->add_flag("--resume", args->index.resume,
                    "go on with a listing that was ended: what it had found is beside the output");
  sub->add_option("--state", args->index.state,
                  "file for what was found until the manifest is saved [OUTPUT.partial]");
  CLI::Option* const since =
      sub->add_option("--since", args->index.since,
                      "an older manifest of the same prefix: list only keys after its last one, for prefixes "
                      "whose new keys come last "
                      "(dates, counters); some old keys are compared, and all is listed when they differ");
  sub->add_option("--inventory", args->inventory,
                  "the manifest.json of an S3 Inventory (CSV), which is read in place of a listing")
      ->excludes(since)
      ->excludes(resume);
  CLI::Option* const synthetic =
      sub->add_option("--synthetic", args->synthetic, "so many plausible records instead, for measuring")
          ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}));
  sub->add_flag("--json", invocation.json, "the summary as JSON");
  args->connection.AddTo(*sub);
  CLI::Option* const uri = sub->get_option("uri")->required(false)->excludes(synthetic);
  sub->callback([args, uri, synthetic, &invocation] {
    if (uri->empty() && synthetic->empty()) throw CLI::RequiredError("uri");
    invocation.run = [args, &invocation](std::stop_token stop) {
      return args->synthetic > 0 ? Synthesize(*args, invocation.json)
                                 : List(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
