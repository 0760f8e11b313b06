// PackPlan: which records go into which shard, and the file that says so before the first one is written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/pack/pack.h"
#include "bucketline/pack/pack_samples.h"

namespace bucketline {

struct PackPlan {
  const ShardEncoding* encoding = nullptr;
  std::vector<uint64_t> first;  // position of each shard's first record, and the end
  std::string text;             // of pack.json

  size_t shards() const { return first.size() - 1; }
  std::string ShardName(size_t shard) const;  // "shard-000017.tar"
};

// Shards in order, each as full as it can be. Throws kInvalidArgument naming a record that is larger than a shard, or than
// the format holds, and for more than a million shards. With options.short_side the sizes are those before.
PackPlan MakePackPlan(const PackSamples& samples, const ShardEncoding& encoding, const PackOptions& options);

// What is not the same in two pack.json, for people: "format is \"tar\" there, and \"mds\" here"; "" for nothing. The name
// of the source plays no part. Throws kCorruptData when `there` is none.
std::string PlanDifference(std::string_view there, std::string_view here);

}  // namespace bucketline
