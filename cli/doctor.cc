// bucketline doctor: looks at everything that must be right before data streams, and at how well an order mixes.
#include "bucketline/inspect/doctor.h"

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/inspect/shuffle_quality.h"

namespace bucketline::cli {
namespace {

using Status = DoctorCheck::Status;

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  DoctorOptions doctor;
  bool look_at_shuffle = false;
  ShuffleOptions shuffle;
};

const char* Name(Status status) {
  switch (status) {
    case Status::kGood:
      return "ok";
    case Status::kWarning:
      return "warning";
    case Status::kFailed:
      return "failed";
    case Status::kSkipped:
      return "skipped";
  }
  return "";
}

void Print(const DoctorCheck& check) {
  fmt::print("{:<8} {:<12} {}\n", Name(check.status), check.name, check.value);
  if (!check.advice.empty()) fmt::print("{:<8} {:<12} -> {}\n", "", "", check.advice);
  std::fflush(stdout);
}

struct Bucket {
  uint64_t below_us;
  size_t reads;
};

// Below 1, 2, 4, ... ms, from the first to the last that holds a read.
std::vector<Bucket> Buckets(const std::vector<uint64_t>& sorted_us) {
  std::vector<Bucket> buckets;
  size_t before = 0;
  for (uint64_t below = 1000; before < sorted_us.size(); below *= 2) {
    const auto end = std::lower_bound(sorted_us.begin(), sorted_us.end(), below);
    const auto reads = static_cast<size_t>(end - sorted_us.begin()) - before;
    if (reads > 0 || !buckets.empty()) buckets.push_back({below, reads});
    before += reads;
  }
  return buckets;
}

void PrintBars(const std::vector<uint64_t>& sorted_us) {
  for (const Bucket& bucket : Buckets(sorted_us)) {
    const size_t width = bucket.reads * 50 / sorted_us.size();
    fmt::print("{:<8} {:>6} ms {:>4} {:#<{}}\n", "", fmt::format("<{}", bucket.below_us / 1000), bucket.reads,
               "", width);
  }
}

nlohmann::ordered_json ToJson(const DoctorReport& report, const std::string& uri) {
  nlohmann::ordered_json json = {
      {"uri", uri}, {"healthy", report.Healthy()}, {"checks", nlohmann::json::array()}};
  for (const DoctorCheck& check : report.checks) {
    json["checks"].push_back(nlohmann::ordered_json{{"name", check.name},
                                                    {"status", Name(check.status)},
                                                    {"value", check.value},
                                                    {"advice", check.advice}});
  }
  json["latency_us"] = report.latencies_us;
  for (const Bucket& bucket : Buckets(report.latencies_us)) {
    json["latency_histogram"].push_back({{"below_us", bucket.below_us}, {"reads", bucket.reads}});
  }
  json["bytes_per_second"] = report.bytes_per_second;
  return json;
}

int Run(const Args& args, bool json, std::stop_token stop) {
  const auto progress = [&](const DoctorCheck& check) {
    if (!json) Print(check);
  };
  const DoctorReport report =
      RunDoctor(args.dataset.uri, args.connection.runtime, args.doctor, progress, std::move(stop));
  if (json) {
    fmt::print(
        "{}\n",
        ToJson(report, args.dataset.uri).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    PrintBars(report.latencies_us);
  }
  return report.Healthy() ? kDone : kFailed;
}

nlohmann::ordered_json ToJson(const char* name, const OrderQuality& order) {
  nlohmann::ordered_json json = {
      {"order", name}, {"same_shard", order.same_shard}, {"displacement", order.displacement}};
  json["label_imbalance"] =
      order.label_imbalance ? nlohmann::ordered_json(*order.label_imbalance) : nlohmann::ordered_json();
  return json;
}

void Print(const char* name, const OrderQuality& order) {
  fmt::print("{:<10} {:>12.4f} {:>14.4f} {:>17}\n", name, order.same_shard, order.displacement,
             order.label_imbalance ? fmt::format("{:.3f}", *order.label_imbalance) : "-");
}

int LookAtShuffle(Args& args, bool json, std::stop_token stop) {
  Runtime runtime(args.connection.runtime);
  args.dataset.stop = std::move(stop);
  const Dataset dataset = args.dataset.Open(runtime);
  const ShuffleReport report = MeasureShuffle(dataset, args.shuffle);
  if (json) {
    const nlohmann::ordered_json object = {
        {"uri", args.dataset.uri},
        {"records", report.records},
        {"shards", report.shards},
        {"classes", report.classes},
        {"batch_size", args.shuffle.batch_size},
        {"batches", report.batches},
        {"window", args.shuffle.window},
        {"seed", args.shuffle.seed},
        {"orders",
         {ToJson("none", report.none), ToJson("window", report.window), ToJson("global", report.global),
          ToJson("uniform", report.uniform)}},
        {"verdict", report.verdict}};
    fmt::print("{}\n", object.dump());
    return kDone;
  }
  fmt::print("{} records in {} shards, {} classes; {} batches of {}\n\n{:<10} {:>12} {:>14} {:>17}\n",
             report.records, report.shards, report.classes, report.batches, args.shuffle.batch_size, "order",
             "same shard", "displacement", "label imbalance");
  Print("none", report.none);
  Print("window", report.window);
  Print("global", report.global);
  Print("uniform", report.uniform);
  fmt::print(
      "\n{}\n\nsame shard: share of neighbours in the order that come from one object (of raw objects: from "
      "one block "
      "of 64 keys)\ndisplacement: how far a record is moved, on average, as a share of all\nlabel imbalance: "
      "chi-square "
      "of a batch's classes over that of a uniform order\nuniform: a random order of all records, on "
      "average\n",
      report.verdict);
  return kDone;
}

// The dataset's options, and these, mean nothing to the other checks.
void AddShuffleOptions(CLI::App& sub, Args& args) {
  const std::vector<CLI::Option*> before = sub.get_options();
  args.dataset.AddTo(sub, "none");
  sub.add_option("--window", args.shuffle.window, "shards that shuffle=\"window\" has open")
      ->check(CLI::Range(uint64_t{1}, uint64_t{0xffffffff}))
      ->capture_default_str();
  sub.add_option("--batch-size", args.shuffle.batch_size, "of all ranks together")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  sub.add_option("--seed", args.shuffle.seed)->capture_default_str();
  const std::vector<CLI::Option*> after = sub.get_options();
  CLI::Option* shuffle = sub.add_flag("--shuffle", args.look_at_shuffle,
                                      "say instead how well each order mixes this dataset: none, a window of "
                                      "shards, all records; nothing is read");
  for (CLI::Option* option : after) {
    if (option->get_positional() || std::ranges::find(before, option) != before.end()) continue;
    option->needs(shuffle)->group("With --shuffle");
  }
}

}  // namespace

void AddDoctor(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand(
      "doctor", "look at credentials, network, permissions and speed; exit code 1 when something is wrong");
  sub->add_flag("--json", invocation.json, "one JSON object");
  sub->add_option("--reads", args->doctor.small_reads, "small reads to time")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  AddShuffleOptions(*sub, *args);
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) {
      if (args->look_at_shuffle) return LookAtShuffle(*args, invocation.json, std::move(stop));
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
