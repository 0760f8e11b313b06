#include "bucketline/loader/plan.h"

#include <optional>

#include "bucketline/base/error.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline {

Plan::Plan(const Config& config) : config_(config) {
  if (config.records == 0)
    throw Error(ErrorCode::kInvalidArgument, "there is nothing to load: the dataset is empty");
  ShardFrom(0).Validate();
}

Shard Plan::ShardFrom(uint64_t start) const {
  return {.n = config_.records,
          .start = start,
          .batch = config_.batch_size,
          .world = config_.world_size,
          .rank = config_.rank,
          .last = config_.last};
}

uint64_t Plan::Steps(uint64_t start) const { return ShardFrom(start).Steps(); }

BatchPlan Plan::At(uint64_t epoch, uint64_t start, uint64_t step) const {
  const Shard shard = ShardFrom(start);
  const StepSlice slice = shard.At(step);
  std::optional<Permutation> order;
  if (config_.shuffle) order.emplace(config_.records, config_.seed, epoch);
  BatchPlan plan{.epoch = epoch,
                 .position = shard.PositionAfter(step),
                 .next_position = shard.PositionAfter(step + 1),
                 .rows = {}};
  const uint32_t count = slice.valid + slice.padded;
  plan.rows.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t position = (slice.first + i) % config_.records;
    plan.rows.push_back(
        {.position = position, .record = order ? order->At(position) : position, .valid = i < slice.valid});
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
