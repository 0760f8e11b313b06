// bucketline doctor: looks at everything that must be right before data streams.
#include "bucketline/inspect/doctor.h"

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace bucketline::cli {
namespace {

using Status = DoctorCheck::Status;

struct Args {
  ConnectionArgs connection;
  DoctorOptions doctor;
  std::string uri;
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
      RunDoctor(args.uri, args.connection.runtime, args.doctor, progress, std::move(stop));
  if (json) {
    fmt::print("{}\n",
               ToJson(report, args.uri).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    PrintBars(report.latencies_us);
  }
  return report.Healthy() ? kDone : kFailed;
}

}  // namespace

void AddDoctor(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CLI::App* sub = app.add_subcommand(
      "doctor", "look at credentials, network, permissions and speed; exit code 1 when something is wrong");
  sub->add_option("uri", args->uri, "s3://bucket/prefix/ or a folder")->required();
  sub->add_flag("--json", invocation.json, "one JSON object");
  sub->add_option("--reads", args->doctor.small_reads, "small reads to time")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    invocation.run = [args, &invocation](std::stop_token stop) {
      return Run(*args, invocation.json, std::move(stop));
    };
  });
}

}  // namespace bucketline::cli
