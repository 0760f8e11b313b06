#include "bucketline/sampler/shard_table.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

// Numbers shards by their first records.
class Numbering {
 public:
  explicit Numbering(uint64_t n) : n_(n) {}

  uint32_t Of(uint64_t given) {
    if (given == ShardTable::kAlone) {
      if (alone_++ % ShardTable::kBlock == 0) block_ = next_++;
      return block_;
    }
    if (given >= n_) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("{} records lie in at most as many shards: there is none of number {}", n_, given));
    }
    if (given >= number_.size()) number_.resize(given + 1, kNone);
    if (number_[given] == kNone) number_[given] = next_++;
    return number_[given];
  }

 private:
  const uint64_t n_;
  uint32_t next_ = 0;
  uint32_t block_ = 0;
  uint64_t alone_ = 0;
  std::vector<uint32_t> number_;  // by the number given
};

}  // namespace

ShardTable::ShardTable(uint64_t n, const std::function<uint64_t(uint64_t)>& shard_of) {
  if (n == 0 || n > std::numeric_limits<uint32_t>::max()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("a window goes over 1 to {} records, and there are {}",
                            std::numeric_limits<uint32_t>::max(), n));
  }
  auto table = std::make_shared<Table>();
  Numbering numbering(n);
  std::vector<uint32_t> shard(n);
  bool in_order = true;
  for (uint64_t record = 0; record < n; ++record) {
    shard[record] = numbering.Of(shard_of(record));
    if (shard[record] >= table->end.size()) table->end.resize(shard[record] + 1, 0);
    ++table->end[shard[record]];
    in_order = in_order && (record == 0 || shard[record] >= shard[record - 1]);
  }
  uint32_t end = 0;
  for (uint32_t& each : table->end) each = end += each;
  if (!in_order) {
    std::vector<uint32_t> next(table->end.size(), 0);
    std::copy(table->end.begin(), table->end.end() - 1, next.begin() + 1);
    table->records.resize(n);
    for (uint64_t record = 0; record < n; ++record) {
      table->records[next[shard[record]]++] = static_cast<uint32_t>(record);
    }
  }
  table->end.shrink_to_fit();
  table_ = std::move(table);
}

uint64_t ShardTable::bytes() const {
  return (table_->end.capacity() + table_->records.capacity()) * sizeof(uint32_t);
}

}  // namespace bucketline
