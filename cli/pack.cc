// bucketline pack: a dataset into shards.
#include "bucketline/pack/pack.h"

#include <chrono>
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/line_file.h"
#include "cli/live_line.h"
#include "cli/pack_ray.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/records/shard_encoder.h"

namespace bucketline::cli {
namespace {

constexpr uint64_t kShownSkipped = 10;

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  std::string out;
  PackOptions pack;
  std::string quarantine;
  RayArgs ray;
};

int ParseShort(const std::string& text) {
  const std::string_view prefix = "short=";
  int pixels = 0;
  const std::string digits = text.starts_with(prefix) ? text.substr(prefix.size()) : "";
  const bool plain =
      !digits.empty() && digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string::npos;
  if (plain) pixels = std::stoi(digits);
  if (pixels > 0) return pixels;
  throw Error(ErrorCode::kInvalidArgument,
              "\"" + text + "\" is no rule; write short=256 for a short side of 256 pixels");
}

void PrintReport(const PackReport& report, double seconds, bool json) {
  if (json) {
    const nlohmann::ordered_json object = {{"records", report.records},
                                           {"skipped", report.skipped},
                                           {"shards", report.shards},
                                           {"kept_shards", report.kept_shards},
                                           {"bytes_read", report.bytes_read},
                                           {"bytes_written", report.bytes_written},
                                           {"shard_bytes", report.shard_bytes},
                                           {"seconds", seconds},
                                           {"index", report.index}};
    fmt::print("{}\n", object.dump());
    return;
  }
  fmt::print("{} records in {} shards, {}, in {:.1f} s", report.records, report.shards,
             FormatByteSize(report.shard_bytes), seconds);
  if (report.kept_shards > 0) fmt::print("; {} shards were there", report.kept_shards);
  if (report.skipped > 0) fmt::print("; {} bad records are left out", report.skipped);
  fmt::print("\n{}\n", report.index.empty() ? "pack the other shards, then all without --shards for the index"
                                            : "open " + report.index);
}

// Lists here, and leaves the rest to the Python package, as which this process goes on.
[[noreturn]] void RunOnRay(const Args& args, bool json, const std::stop_token& stop) {
  std::string folder;
  {
    Runtime runtime(args.connection.runtime);
    DatasetArgs dataset = args.dataset;
    dataset.stop = stop;
    folder = WriteRayPack(dataset.Open(runtime), args.connection.runtime, dataset.Pin(),
                          {.out = args.out,
                           .pack = args.pack,
                           .ray = args.ray,
                           .quarantine = args.quarantine,
                           .name = args.dataset.uri,
                           .json = json},
                          stop);
  }
  ContinueInPython(folder);
}

int Run(Args& args, bool json, const std::stop_token& stop) {
  if (args.ray.wanted) RunOnRay(args, json, stop);
  Runtime runtime(args.connection.runtime);
  const Dataset dataset = args.dataset.Open(runtime);
  LiveLine line;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  args.pack.progress = [&](uint64_t records, uint64_t bytes) {
    line.Update([&] {
      return fmt::format("packing {}: {}/{} records, {}, {:.0f} s", args.dataset.uri, records, dataset.size(),
                         FormatByteSize(bytes), elapsed());
    });
  };
  LineFile quarantine(args.quarantine);
  uint64_t shown = 0;
  args.pack.skipped = [&](const std::string& uri, const Error& why) {
    if (quarantine.is_open()) {
      const nlohmann::ordered_json object = {{"uri", uri}, {"reason", why.message()}};
      quarantine.Write(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (++shown <= kShownSkipped) {
      runtime.log()(LogLevel::kWarning, fmt::format("left out: {}{}", why.what(),
                                                    shown == kShownSkipped ? " (more are not shown)" : ""));
    }
  };
  const PackReport report = Pack(dataset, args.out, args.pack, stop);
  line.Clear();
  PrintReport(report, elapsed(), json);
  return kDone;
}

}  // namespace

void AddPack(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  PackOptions& pack = args->pack;
  CLI::App* sub =
      app.add_subcommand("pack", "write a dataset as shards, tar, TFRecord or MDS, with their index");
  args->dataset.format_option = "--input-format";
  args->dataset.AddTo(*sub, "none");
  sub->add_option("out", args->out, "where to: s3://bucket/packed/ or a folder; empty, or an unfinished pack")
      ->required();
  sub->add_option("--format", pack.format, "of the shards: " + ShardEncodingNames())
      ->check(CLI::IsMember({"tar", "tfrecord", "mds"}))
      ->capture_default_str();
  AddByteSize(*sub, "--shard-size", pack.shard_size, "the most bytes of a shard [256MiB]");
  sub->add_option("--shuffle", pack.shuffle, "seed of an exact global shuffle; else the order of the keys");
  AddParsed<int>(
      *sub, "--resize", pack.short_side, ParseShort,
      "short=256: images as JPEGs with such a short side, none larger than it is; else bytes are copied");
  sub->add_option("--quality", pack.quality, "of those JPEGs")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  AddNamed<bool>(
      *sub, "--on-error", pack.skip_bad, {{"raise", false}, {"skip", true}},
      "what a record with a wrong checksum, or with --resize no image, does: raise | skip [raise]");
  sub->add_option("--max-skipped", pack.max_skipped, "share of the records that may be left out")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  sub->add_option("--quarantine", args->quarantine, "file that what is left out is added to, as JSON lines");
  AddByteSize(*sub, "--memory", pack.memory, "of records, uploads and pixels [1GiB]");
  sub->add_option("--threads", pack.threads, "for --resize; 0: one per CPU")->capture_default_str();
  sub->add_option("--requests", pack.max_requests, "reads in flight at most")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  sub->add_option("--parallel", pack.max_shards, "shards written at a time, where memory allows")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  CLI::Option* const shards = AddParsed<std::optional<PackShare>>(
      *sub, "--shards", pack.only, [](const std::string& text) { return PackShare::Parse(text); },
      "these alone, and no index: 3/16 (the fourth of 16 shares) or 0-9,17; then, once, the same without it");
  CLI::Option* const ray =
      sub->add_flag("--ray", args->ray.wanted,
                    "groups of shards as tasks of a Ray cluster; needs the Python package and ray")
          ->excludes(shards);
  sub->add_option("--ray-address", args->ray.address,
                  "of the cluster; else the one that Ray finds (RAY_ADDRESS), or starts here")
      ->needs(ray);
  sub->add_option("--ray-cpus", args->ray.cpus, "of each task, which takes --memory too")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str()
      ->needs(ray);
  sub->add_flag("--verify,!--no-verify", pack.verify,
                "read each shard back and compare checksums (the default)");
  sub->add_flag("--json", invocation.json, "the summary as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](const std::stop_token& stop) {
      return Run(*args, invocation.json, stop);
    };
  });
}

}  // namespace bucketline::cli
