// bucketline cost: requests, bytes, time and money of epochs; raw, packed and cached.
#include "bucketline/inspect/cost.h"

#include <memory>

#include "cli/command.h"
#include "cli/common_options.h"
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/units.h"
#include "bucketline/store/blocking.h"

namespace bucketline::cli {
namespace {

constexpr uint64_t kLargestTable = uint64_t{1} << 20;

struct Args {
  ConnectionArgs connection;
  DatasetArgs dataset;
  CostFacts facts;
  Duration first_byte = std::chrono::milliseconds(50);
  uint64_t bandwidth = 1'000'000'000;
  std::string prices = "s3-standard";
};

PriceTable PricesOf(Runtime& runtime, const std::string& prices) {
  if (!prices.ends_with(".json")) return PriceTable::Find(prices);
  const Uri uri = Uri::Parse(prices);
  GetRequest request{.key = Runtime::KeyOf(uri)};
  try {
    return PriceTable::Parse(GetBytes(*runtime.StoreFor(uri), std::move(request), kLargestTable).view());
  } catch (const Error& error) {
    throw error.WithUri(prices);
  }
}

nlohmann::ordered_json JsonOf(const CostEstimate& way) {
  return {{"way", way.way},
          {"requests", {{"list", way.list_requests}, {"get", way.get_requests}, {"put", way.put_requests}}},
          {"bytes", way.bytes},
          {"seconds", way.seconds},
          {"money",
           {{"requests", way.requests_money},
            {"bytes", way.bytes_money},
            {"total", way.money()},
            {"storage_month", way.storage_money_month}}}};
}

void PrintJson(const CostFacts& facts, const PriceTable& prices, const std::vector<CostEstimate>& ways) {
  nlohmann::ordered_json object = {
      {"records", facts.records},
      {"bytes", facts.bytes},
      {"epochs", facts.epochs},
      {"prices", {{"name", prices.name}, {"date", prices.date}, {"currency", prices.currency}}},
      {"ways", nlohmann::ordered_json::array()}};
  for (const CostEstimate& way : ways) object["ways"].push_back(JsonOf(way));
  fmt::print("{}\n", object.dump());
}

void PrintTable(const CostFacts& facts, const PriceTable& prices, const std::vector<CostEstimate>& ways) {
  fmt::print("{} records, {}; {} epochs; prices of {}, {}\n\n", facts.records, FormatByteSize(facts.bytes),
             facts.epochs, prices.name, prices.date);
  fmt::print("{:<16} {:>12} {:>12} {:>10} {:>12} {:>14}\n", "", "requests", "read", "hours", prices.currency,
             "kept, a month");
  for (const CostEstimate& way : ways) {
    fmt::print("{:<16} {:>12} {:>12} {:>10.2f} {:>12.4f} {:>14.4f}\n", way.way,
               way.list_requests + way.get_requests + way.put_requests, FormatByteSize(way.bytes),
               way.seconds / 3600, way.money(), way.storage_money_month);
  }
  fmt::print("\n");
  for (const CostEstimate& way : ways) fmt::print("{}: {}\n", way.way, way.about);
  fmt::print("hours are the network's, at {:.0f} ms to the first byte, {} requests in flight and {}/s\n",
             facts.first_byte_seconds * 1e3, facts.requests_in_flight,
             FormatByteSize(static_cast<uint64_t>(facts.bytes_per_second)));
}

int Run(Args& args, bool json) {
  Runtime runtime(args.connection.runtime);
  const PriceTable prices = PricesOf(runtime, args.prices);  // first: listing may take long
  const Dataset dataset = args.dataset.Open(runtime);
  CostFacts& facts = args.facts;
  facts.records = dataset.size();
  facts.bytes = std::max<uint64_t>(dataset.total_bytes(), 1);
  facts.listed = args.dataset.uri.ends_with(".manifest") ? 0 : dataset.size();
  facts.first_byte_seconds = std::chrono::duration<double>(args.first_byte).count();
  facts.bytes_per_second = static_cast<double>(std::max<uint64_t>(args.bandwidth, 1));
  const std::vector<CostEstimate> ways = EstimateCosts(facts, prices);
  if (json) {
    PrintJson(facts, prices, ways);
  } else {
    PrintTable(facts, prices, ways);
  }
  return kDone;
}

}  // namespace

void AddCost(CLI::App& app, Invocation& invocation) {
  auto args = std::make_shared<Args>();
  CostFacts& facts = args->facts;
  CLI::App* sub =
      app.add_subcommand("cost", "what epochs cost: requests, bytes, time and money; raw, packed, cached");
  args->dataset.AddTo(*sub, "none");
  sub->add_option("--epochs", facts.epochs)->check(CLI::Range(1, 1'000'000))->capture_default_str();
  sub->add_option(
         "--prices", args->prices,
         "s3-standard | s3-express (us-east-1, list prices; --json says of when) | the URI of a .json "
         "file with your own (docs/packing.md)")
      ->capture_default_str();
  AddByteSize(*sub, "--shard-size", facts.shard_size, "of the pack [256MiB]");
  AddByteSize(*sub, "--cache-size", facts.cache_size, "of the nodes' cache; 0: as large as the dataset [0]");
  AddParsed<Duration>(
      *sub, "--first-byte", args->first_byte, [](const std::string& text) { return ParseDuration(text); },
      "how long the store takes to answer [50ms]");
  sub->add_option("--requests", facts.requests_in_flight, "in flight")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  AddByteSize(*sub, "--bandwidth", args->bandwidth, "bytes a second that arrive at most [1GB]");
  sub->add_flag("--json", invocation.json, "the estimate as JSON");
  args->connection.AddTo(*sub);
  sub->callback([args, &invocation] {
    if (args->facts.shard_size == 0) throw CLI::ValidationError("--shard-size", "must be above 0");
    invocation.run = [args, &invocation](const std::stop_token&) { return Run(*args, invocation.json); };
  });
}

}  // namespace bucketline::cli
