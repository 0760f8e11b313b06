// ShardJob: one shard of a pack, from its records to its index.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "bucketline/pack/pack_plan.h"
#include "bucketline/pack/record_stream.h"
#include "bucketline/records/manifest.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// What all shards of a pack share; thread-safe as far as they use it.
struct ShardJobContext {
  const PackSamples& samples;
  const PackPlan& plan;
  std::shared_ptr<ObjectStore> out;
  std::string prefix;  // of all keys there
  std::string source;  // of the indexes
  StreamResources resources;
  bool verify = true;
  std::function<void(const Error& why)> bad;  // of a record; throws where none may be left out
  std::function<void(uint64_t records, uint64_t bytes)> read;  // as they come
  std::stop_token stop = {};

  std::string ShardKey(size_t shard) const { return prefix + plan.ShardName(shard); }
  std::string IndexKey(size_t shard) const { return ShardKey(shard) + ".manifest"; }
};

struct DoneShard {
  Manifest index;      // of its records; empty, and no object, when all of them were bad
  uint64_t bytes = 0;  // of the shard
};

// The shard of a run before, if its index is there and is of the object that is: `shard` and `index` as listed, nullptr for
// what is not there.
std::optional<DoneShard> FindShard(const ShardJobContext& context, size_t number, const ObjectInfo* shard,
                                   const ObjectInfo* index);

// Writes the shard, looks at it again, writes its index. Throws what the stores and `bad` throw; kCorruptData when the store
// does not give back what was written; kResourceExhausted for a shard that the format cannot hold after all.
DoneShard MakeShard(const ShardJobContext& context, size_t number);

}  // namespace bucketline
