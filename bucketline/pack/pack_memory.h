// PackMemory: how a pack's memory is shared out.
#pragma once

#include <cstdint>
#include <string>

namespace bucketline {

struct PackMemoryNeeds {
  uint64_t memory = 0;          // in all
  uint64_t writer = 0;          // of each shard that is written
  uint64_t largest_record = 0;  // bytes of all its parts
  size_t most_shards = 1;       // that are written at a time
  bool resize = false;
};

struct PackMemory {
  size_t shards = 1;          // written at a time
  uint64_t record_bytes = 0;  // of each of them
  uint64_t result_bytes = 0;  // likewise, with resize
  uint64_t pixels = 0;        // of all, with resize
};

// As many shards as leave half of the memory to the records. Throws kResourceExhausted naming the least memory when it does
// not do for one; `largest_uri` is the record that needs it.
PackMemory DividePackMemory(const PackMemoryNeeds& needs, const std::string& largest_uri);

}  // namespace bucketline
