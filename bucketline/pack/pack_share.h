// PackShare: some of a pack's shards, for a process that packs these alone.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace bucketline {

class PackShare {
 public:
  // "3/16": each 16th shard from number 3 on, the fourth of sixteen shares; "0-9,17": those numbers. Throws kInvalidArgument for
  // anything else.
  static PackShare Parse(std::string_view text);

  bool Contains(uint64_t shard) const;

  // Throws kInvalidArgument naming a shard that is asked for by its number and is not there. A share "I/N" may have none.
  void Check(uint64_t shards) const;

 private:
  PackShare() = default;

  uint64_t first_ = 0;
  uint64_t step_ = 0;                                    // 0: the ranges
  std::vector<std::pair<uint64_t, uint64_t>> ranges_{};  // first and last, ascending, apart
};

}  // namespace bucketline
