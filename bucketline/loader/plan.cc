#include "bucketline/loader/plan.h"

#include <optional>

#include "bucketline/base/error.h"

namespace bucketline {

Plan::Plan(const Config& config) : config_(config) {
  if (config.records == 0)
    throw Error(ErrorCode::kInvalidArgument, "there is nothing to load: the dataset is empty");
  ShardFrom(0).Validate();
}

uint64_t Plan::positions() const { return config_.epoch_size > 0 ? config_.epoch_size : config_.records; }

Shard Plan::ShardFrom(uint64_t start) const {
  return {.n = positions(),
          .start = start,
          .batch = config_.batch_size,
          .world = config_.world_size,
          .rank = config_.rank,
          .last = config_.last};
}

uint64_t Plan::Steps(uint64_t start) const { return ShardFrom(start).Steps(); }

// `order` is the epoch's, for kAll and shuffling.
uint64_t Plan::RecordAt(uint64_t epoch, uint64_t position, const std::optional<Permutation>& order) const {
  switch (config_.sampling) {
    case Sampling::kBalanced:
      return config_.balance->At(epoch, position);
    case Sampling::kReplacement:
      return DrawWithReplacement(config_.records, config_.seed, epoch, position);
    case Sampling::kMix:
      return config_.mix->At(epoch, position);
    case Sampling::kAll:
      break;
  }
  return order ? order->At(position) : position;
}

BatchPlan Plan::At(uint64_t epoch, uint64_t start, uint64_t step) const {
  const Shard shard = ShardFrom(start);
  const StepSlice slice = shard.At(step);
  std::optional<Permutation> order;
  if (config_.shuffle && config_.sampling == Sampling::kAll)
    order.emplace(config_.records, config_.seed, epoch);
  BatchPlan plan{.epoch = epoch,
                 .position = shard.PositionAfter(step),
                 .next_position = shard.PositionAfter(step + 1),
                 .rows = {}};
  const uint32_t count = slice.valid + slice.padded;
  plan.rows.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t position = (slice.first + i) % positions();
    plan.rows.push_back(
        {.position = position, .record = RecordAt(epoch, position, order), .valid = i < slice.valid});
  }
  return plan;
}

std::optional<BatchPlan> PlanCursor::Next() {
  while (epoch_ < end_ && step_ >= plan_.Steps(start_)) {
    ++epoch_;
    start_ = 0;
    step_ = 0;
  }
  if (epoch_ >= end_) return std::nullopt;
  return plan_.At(epoch_, start_, step_++);
}

}  // namespace bucketline
