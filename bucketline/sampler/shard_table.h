// ShardTable: which records lie together in one object of the data set (a tar, a TFRecord file).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace bucketline {

// Records are numbered by shard: a place. Not to be taken for `Shard`, which is a rank's part of an epoch. Holds 4 bytes a
// shard, and 4 bytes a record only where the records of a shard do not follow one another in the data set's order.
// Immutable; copies share it; thread-safe.
class ShardTable {
 public:
  // What `shard_of` gives for a record that is an object of its own. Such records have no shard to share, so up to
  // kBlock of them that follow one another among their like make one.
  static constexpr uint64_t kAlone = ~uint64_t{0};
  static constexpr uint64_t kBlock = 64;

  // `shard_of` gives the same number for records of one shard, from 0 on and below n, or kAlone; it is called once for
  // each of n records, in order. Shards stand in the order of their first records. Throws kInvalidArgument: n is 0 or
  // above 2^32 - 1, or a number is not below n.
  ShardTable(uint64_t n, const std::function<uint64_t(uint64_t record)>& shard_of);

  uint64_t records() const { return table_->end.back(); }
  uint64_t shards() const { return table_->end.size(); }
  uint64_t bytes() const;  // held, all copies together

  // The places of a shard are [BeginOf, EndOf). Precondition: shard < shards().
  uint64_t BeginOf(uint64_t shard) const { return shard == 0 ? 0 : table_->end[shard - 1]; }
  uint64_t EndOf(uint64_t shard) const { return table_->end[shard]; }

  // The record at a place; within a shard they ascend. Precondition: place < records().
  uint64_t RecordAt(uint64_t place) const { return table_->records.empty() ? place : table_->records[place]; }

 private:
  struct Table {
    std::vector<uint32_t> end;      // of each shard's places
    std::vector<uint32_t> records;  // by place; empty: each stands at its own number
  };
  std::shared_ptr<const Table> table_;
};

}  // namespace bucketline
