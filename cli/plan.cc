// bucketline plan: how to load a dataset on this machine, from a short probe of it.
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/image_options.h"
#include "cli/live_line.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/inspect/advice.h"
#include "bucketline/loader/verdict.h"

namespace bucketline::cli {
namespace {

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  ProbeOptions probe;
  int size = 224;
  bool raw = false;
};

void PrintJson(const ProbeFacts& facts, const std::vector<Advice>& advices) {
  nlohmann::ordered_json object = {
      {"records", facts.records},
      {"mean_bytes", facts.mean_bytes},
      {"short_side", facts.short_side},
      {"images", facts.stats.images},
      {"seconds", facts.seconds},
      {"images_per_second", static_cast<double>(facts.stats.images) / facts.seconds},
      {"bottleneck", Name(Explain(facts.stats).bottleneck)},
      {"advice", nlohmann::ordered_json::object()}};
  for (const Advice& advice : advices) {
    object["advice"][advice.about] = {{"value", advice.value}, {"reason", advice.reason}};
  }
  fmt::print("{}\n", object.dump());
}

void PrintText(const ProbeFacts& facts, const std::vector<Advice>& advices) {
  fmt::print("{} records, {} on average; {:.0f} images/s in {:.1f} s\n{}\n\n", facts.records,
             FormatByteSize(static_cast<uint64_t>(facts.mean_bytes)),
             static_cast<double>(facts.stats.images) / facts.seconds, facts.seconds,
             Explain(facts.stats).text);
  for (const Advice& advice : advices) {
    fmt::print("{:<9} {}\n{:<9} {}\n", advice.about, advice.value, "", advice.reason);
  }
}

int Run(Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  const Dataset dataset = args.dataset.Open(runtime);
  LoaderOptions& loader = args.probe.loader;
  loader.decode = !args.raw;
  loader.image.height = loader.image.width = args.size;
  loader.shuffle = true;
  loader.last = LastPolicy::kPartial;
  loader.on_error = OnError::kMask;  // what is broken says nothing of speed
  loader.max_skipped = 1;
  LiveLine line;
  ProbeFacts facts = Probe(
      dataset, args.probe,
      [&](uint64_t images) { line.Update([&] { return fmt::format("probing: {} images", images); }); },
      std::move(stop));
  line.Clear();
  facts.listed = !args.dataset.uri.ends_with(".manifest");
  if (facts.stats.images == 0) {
    throw Error(ErrorCode::kCorruptData, "no image came in that time: none decodes, or the store is too slow",
                args.dataset.uri);
  }
  const std::vector<Advice> advices = Advise(facts);
  if (json) {
    PrintJson(facts, advices);
  } else {
    PrintText(facts, advices);
  }
  return kDone;
}

}  // namespace

void AddPlan(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  LoaderOptions& loader = args->probe.loader;
  CLI::App* sub =
      app.add_subcommand("plan", "probe a dataset and say how to load it: threads, memory, pack or not");
  args->dataset.AddTo(*sub, "none");
  AddCropAndFlip(*sub, loader.image.crop, loader.image.flip);
  AddParsed<Duration>(
      *sub, "--probe", args->probe.longest, [](const std::string& text) { return ParseDuration(text); },
      "how long to try; an epoch at most [20s]");
  sub->add_option("--size", args->size, "height and width of the rows")
      ->check(CLI::Range(1, 16384))
      ->capture_default_str();
  sub->add_option("--batch-size", loader.batch_size)->check(CLI::Range(1, 1 << 20))->capture_default_str();
  sub->add_option("--requests", loader.max_requests, "in flight at most")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  AddByteSize(*sub, "--memory", loader.memory, "budget of the probe [1GiB]");
  sub->add_flag("--raw", args->raw, "fetch only, do not decode");
  sub->add_flag("--json", invocation.json, "the plan as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
