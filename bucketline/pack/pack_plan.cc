#include "bucketline/pack/pack_plan.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

constexpr int kVersion = 1;
constexpr size_t kMostShards = 1'000'000;  // six digits in their names
constexpr std::string_view kSource = "source";

// The record that needs the most, of those that do not fit.
struct TooLarge {
  uint64_t size = 0;
  uint64_t position = 0;

  void Take(uint64_t needed, uint64_t most, uint64_t at) {
    if (needed > most && needed > size) *this = {needed, at};
  }
  void ThrowIfAny(const PackSamples& samples, std::string_view what) const {
    if (size == 0) return;
    throw Error(ErrorCode::kInvalidArgument, fmt::format("this record, the largest, {}", what),
                samples.dataset().UriAt(samples.IndexAt(position)));
  }
};

std::string Hex(uint64_t value) { return fmt::format("{:016x}", value); }

std::string TextOf(const PackSamples& samples, const PackPlan& plan, const PackOptions& options) {
  nlohmann::ordered_json object = {{"bucketline_pack", kVersion},
                                   {kSource, samples.dataset().source()},
                                   {"fingerprint", Hex(samples.dataset().fingerprint())},
                                   {"labels", Hex(LabelsFingerprint(samples.dataset()))},
                                   {"parts", samples.dataset().part_names()},
                                   {"records", samples.size()},
                                   {"format", options.format},
                                   {"shard_size", options.shard_size},
                                   {"shuffle", nullptr},
                                   {"resize", nullptr},
                                   {"shards", plan.shards()}};
  if (options.shuffle) object["shuffle"] = *options.shuffle;
  if (options.short_side > 0) {
    object["resize"] = {{"short", options.short_side}, {"quality", options.quality}};
  }
  // Where shards begin follows from all that, in this version of the program.
  const std::string_view layout(reinterpret_cast<const char*>(plan.first.data()),
                                plan.first.size() * sizeof plan.first.front());
  object["layout"] = Hex(StableHash64(layout));
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string PackPlan::ShardName(size_t shard) const {
  return fmt::format("shard-{:06}.{}", shard, encoding->extension);
}

PackPlan MakePackPlan(const PackSamples& samples, const ShardEncoding& encoding, const PackOptions& options) {
  PackPlan plan{.encoding = &encoding, .first = {0}, .text = {}};
  const uint64_t overhead = encoding.shard_overhead(samples.schema());
  uint64_t size = overhead;
  TooLarge parts, records;
  for (uint64_t position = 0; position < samples.size(); ++position) {
    const SampleToPack sample = samples.At(position);
    for (const PartToPack& part : sample.parts) parts.Take(part.length, encoding.largest_part, position);
    const uint64_t own = encoding.sample_size(samples.schema(), sample);
    records.Take(overhead + own, options.shard_size, position);
    if (size + own > options.shard_size && position > plan.first.back()) {
      plan.first.push_back(position);
      size = overhead;
    }
    size += own;
  }
  parts.ThrowIfAny(samples, fmt::format("has {} bytes, and {} can hold {}; leave it out", parts.size,
                                        encoding.name, encoding.largest_part));
  records.ThrowIfAny(samples,
                     fmt::format("takes {} bytes in a shard, and a shard may have {}; make shards larger, "
                                 "or leave it out",
                                 records.size, options.shard_size));
  plan.first.push_back(samples.size());
  if (plan.shards() > kMostShards) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("these would be {} shards, and {} can be named; make them larger", plan.shards(),
                            kMostShards));
  }
  plan.text = TextOf(samples, plan, options);
  return plan;
}

std::string PlanDifference(std::string_view there, std::string_view here) {
  const nlohmann::json old = nlohmann::json::parse(there, nullptr, false);
  const auto now = nlohmann::ordered_json::parse(here);  // what is named first is what was asked for
  if (!old.is_object() || !old.contains("bucketline_pack")) {
    throw Error(ErrorCode::kCorruptData, "this is no plan of a pack");
  }
  for (const auto& [name, value] : now.items()) {
    if (name == kSource) continue;
    const nlohmann::json before = old.value(name, nlohmann::json());
    if (before.dump() != nlohmann::json(value).dump())
      return fmt::format("{} is {} there, and {} here", name, before.dump(), value.dump());
  }
  return "";
}

}  // namespace bucketline
