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

std::optional<WindowWalk> Plan::Walk() const {
  if (!config_.window) return std::nullopt;
  return WindowWalk(*config_.window);
}

BatchPlan Plan::At(uint64_t epoch, uint64_t start, uint64_t step) const {
  std::optional<WindowWalk> walk = Walk();
  return At(epoch, start, step, walk ? &*walk : nullptr);
}

// Gives the records of one epoch.
class Plan::Epoch {
 public:
  Epoch(const Plan& plan, uint64_t epoch, WindowWalk* walk)
      : config_(plan.config_), epoch_(epoch), walk_(walk) {
    if (config_.sampling != Sampling::kAll || !config_.shuffle) return;
    const uint64_t epochs = config_.records / plan.positions();  // in one order of all records
    pass_ = epoch / epochs;
    passed_ = epoch % epochs * plan.positions();
    if (walk == nullptr) order_.emplace(config_.records, config_.seed, pass_);
  }

  uint64_t RecordAt(uint64_t position) const {
    switch (config_.sampling) {
      case Sampling::kBalanced:
        return config_.balance->At(epoch_, position);
      case Sampling::kReplacement:
        return DrawWithReplacement(config_.records, config_.seed, epoch_, position);
      case Sampling::kMix:
        return config_.mix->At(epoch_, position);
      case Sampling::kAll:
        break;
    }
    if (!config_.shuffle) return position;
    return order_ ? order_->At(passed_ + position) : walk_->At(pass_, passed_ + position);
  }

 private:
  const Config& config_;
  const uint64_t epoch_;
  uint64_t pass_ = 0;
  uint64_t passed_ = 0;  // positions of it that were earlier epochs
  std::optional<Permutation> order_;
  WindowWalk* const walk_;
};

BatchPlan Plan::At(uint64_t epoch, uint64_t start, uint64_t step, WindowWalk* walk) const {
  const Shard shard = ShardFrom(start);
  const StepSlice slice = shard.At(step);
  const Epoch order(*this, epoch, walk);
  BatchPlan plan{.epoch = epoch,
                 .position = shard.PositionAfter(step),
                 .next_position = shard.PositionAfter(step + 1),
                 .rows = {}};
  const uint32_t count = slice.valid + slice.padded;
  plan.rows.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t position = (slice.first + i) % positions();
    plan.rows.push_back({.position = position, .record = order.RecordAt(position), .valid = i < slice.valid});
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
  return plan_.At(epoch_, start_, step_++, walk_ ? &*walk_ : nullptr);
}

}  // namespace bucketline
