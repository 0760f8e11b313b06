// WindowOrder: a shuffle that has only a few shards open at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "bucketline/sampler/permutation.h"
#include "bucketline/sampler/shard_table.h"

namespace bucketline {

// An epoch puts the shards in a random order and takes them `window` at a time: a group of shards, whose records come
// in a random order among themselves before the next group begins. (Fewer where the shards do not divide evenly: all
// groups are as large as each other to within one shard.) So each record comes once, and the records of any group lie in at
// most `window` shards; what reads ahead across a group's end has at most twice as many open. Holds a ShardTable. The
// same on every platform and in every version (saved runs rest on it). A value; thread-safe.
class WindowOrder {
 public:
  // Throws kInvalidArgument: window is 0.
  WindowOrder(ShardTable shards, uint64_t window, uint64_t seed);

  uint64_t window() const { return window_; }
  uint64_t groups() const { return groups_; }
  const ShardTable& shards() const { return shards_; }

  // As a WindowWalk of its own gives it, in time proportional to the number of shards.
  uint64_t At(uint64_t epoch, uint64_t position) const;

 private:
  friend class WindowWalk;
  Permutation ShardsIn(uint64_t epoch) const;
  // The shards of a group, by their numbers in ShardsIn: [FirstOf(group), FirstOf(group + 1)).
  uint64_t FirstOf(uint64_t group) const;

  ShardTable shards_;
  uint64_t window_;
  uint64_t groups_;
  uint64_t seed_;
};

// Gives the records of positions, cheaply where they are asked for in sequence: it keeps where the epoch's groups begin
// (4 bytes a group, made in time proportional to the number of shards) and the shards of one group (at most 24 bytes each).
// A value; not thread-safe.
class WindowWalk {
 public:
  explicit WindowWalk(WindowOrder order) : order_(std::move(order)) {}

  // The record at a position: of these two numbers alone. Precondition: position < shards().records().
  uint64_t At(uint64_t epoch, uint64_t position);

 private:
  struct Opened {       // one shard of the group
    uint32_t end;       // of its records, counted from the group's first
    uint32_t to_place;  // what to add to such a count, modulo 2^32
  };
  void OpenEpoch(uint64_t epoch);
  void OpenGroup(uint64_t group);

  WindowOrder order_;
  std::optional<uint64_t> epoch_;
  std::vector<uint32_t> begin_;  // the first position of each group, and the end of the last
  uint64_t first_ = 0;           // the positions of the open group
  uint64_t end_ = 0;
  std::vector<Opened> opened_;
  // Which of them has record 0, 2^shift_, 2 * 2^shift_, ... of the group: at most four times as many, so that from there it
  // is less than one more to any record, on average, however unequal they are.
  std::vector<uint32_t> holder_;
  int shift_ = 0;
  std::optional<Permutation> within_;
};

}  // namespace bucketline
