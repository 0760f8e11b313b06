#include "bucketline/sampler/window_order.h"

#include <algorithm>
#include <iterator>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

// Keep the orders of shards, and of a group's records, apart from each other and from the plain order.
constexpr uint64_t kShardSalt = 0x77696e2d73686172ull;
constexpr uint64_t kRecordSalt = 0x77696e2d7265636full;

}  // namespace

WindowOrder::WindowOrder(ShardTable shards, uint64_t window, uint64_t seed)
    : shards_(std::move(shards)), window_(window), groups_(0), seed_(seed) {
  if (window == 0) throw Error(ErrorCode::kInvalidArgument, "a window is of at least one shard");
  groups_ = (shards_.shards() - 1) / window + 1;
}

Permutation WindowOrder::ShardsIn(uint64_t epoch) const {
  return {shards_.shards(), seed_ ^ kShardSalt, epoch};
}

// Both factors are below 2^32.
uint64_t WindowOrder::FirstOf(uint64_t group) const { return group * shards_.shards() / groups_; }

uint64_t WindowOrder::At(uint64_t epoch, uint64_t position) const {
  return WindowWalk(*this).At(epoch, position);
}

uint64_t WindowWalk::At(uint64_t epoch, uint64_t position) {
  if (epoch_ != epoch) OpenEpoch(epoch);
  if (position < first_ || position >= end_) {
    const auto after = std::upper_bound(begin_.begin(), begin_.end(), position);
    OpenGroup(static_cast<uint64_t>(std::distance(begin_.begin(), after)) - 1);
  }
  const uint64_t number = within_->At(position - first_);
  size_t i = holder_[number >> shift_];
  while (number >= opened_[i].end) ++i;
  return order_.shards_.RecordAt(static_cast<uint32_t>(number) + opened_[i].to_place);
}

void WindowWalk::OpenEpoch(uint64_t epoch) {
  const Permutation shards = order_.ShardsIn(epoch);
  begin_.assign(1, 0);
  begin_.reserve(order_.groups_ + 1);
  uint64_t position = 0;
  for (uint64_t group = 0; group < order_.groups_; ++group) {
    for (uint64_t i = order_.FirstOf(group); i < order_.FirstOf(group + 1); ++i) {
      const uint64_t shard = shards.At(i);
      position += order_.shards_.EndOf(shard) - order_.shards_.BeginOf(shard);
    }
    begin_.push_back(static_cast<uint32_t>(position));
  }
  epoch_ = epoch;
  first_ = end_ = 0;
}

void WindowWalk::OpenGroup(uint64_t group) {
  const Permutation shards = order_.ShardsIn(*epoch_);
  opened_.clear();
  uint64_t end = 0;
  for (uint64_t i = order_.FirstOf(group); i < order_.FirstOf(group + 1); ++i) {
    const uint64_t shard = shards.At(i);
    const uint64_t place = order_.shards_.BeginOf(shard);
    const auto to_place = static_cast<uint32_t>(place - end);
    end += order_.shards_.EndOf(shard) - place;
    opened_.push_back({.end = static_cast<uint32_t>(end), .to_place = to_place});
  }
  shift_ = 0;
  while ((end - 1) >> shift_ >= 4 * opened_.size()) ++shift_;
  holder_.clear();
  for (uint32_t i = 0; i < opened_.size(); ++i) {
    while (holder_.size() << shift_ < opened_[i].end) holder_.push_back(i);
  }
  first_ = begin_[group];
  end_ = begin_[group + 1];
  within_.emplace(end, Mix64(order_.seed_ ^ kRecordSalt) + group, *epoch_);
}

}  // namespace bucketline
