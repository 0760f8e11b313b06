// Plan: which record fills which row of which batch. Pure arithmetic, fixed before any byte is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bucketline/sampler/class_balance.h"
#include "bucketline/sampler/mix.h"
#include "bucketline/sampler/permutation.h"
#include "bucketline/sampler/sampling.h"
#include "bucketline/sampler/shard.h"
#include "bucketline/sampler/window_order.h"

namespace bucketline {

struct RowPlan {
  uint64_t position = 0;  // in the epoch; keys the row's random draws
  uint64_t record = 0;    // number in the Dataset
  bool valid = true;      // false: only fills up
};

struct BatchPlan {
  uint64_t epoch = 0;
  uint64_t position = 0;       // the first one of the global step
  uint64_t next_position = 0;  // the first one that no rank has consumed after this step
  std::vector<RowPlan> rows;
};

// One rank's part of every epoch. A value; thread-safe.
class Plan {
 public:
  struct Config {
    uint64_t records = 1;  // at least 1
    uint64_t seed = 0;
    bool shuffle = false;  // for kAll; the others are random anyway
    Sampling sampling = Sampling::kAll;
    // Positions in an epoch; 0: `records`. For kAll at most `records`, and then `shuffle` is set: an order of all of them
    // serves as many epochs as fit into it, so these have no record in common.
    uint64_t epoch_size = 0;
    std::optional<WindowOrder> window = {};    // the order that `shuffle` means; absent: of all records
    std::optional<ClassBalance> balance = {};  // for kBalanced
    std::optional<Mix> mix = {};               // for kMix
    uint64_t batch_size = 1;
    uint64_t rank = 0;
    uint64_t world_size = 1;
    LastPolicy last = LastPolicy::kPartial;
  };

  // Throws kInvalidArgument: no records, or what Shard::Validate finds.
  explicit Plan(const Config& config);

  const Config& config() const { return config_; }
  uint64_t positions() const;  // in an epoch
  uint64_t mix_fingerprint() const { return config_.mix ? config_.mix->fingerprint() : 0; }
  uint64_t window() const { return config_.window ? config_.window->window() : 0; }

  // Batches from position `start` (0..positions()) to the end of an epoch.
  uint64_t Steps(uint64_t start) const;

  // What Config::window needs to be walked cheaply; absent without it.
  std::optional<WindowWalk> Walk() const;

  // Precondition: step < Steps(start). `walk`: one of Walk(), where there is one: the same for steps in sequence.
  BatchPlan At(uint64_t epoch, uint64_t start, uint64_t step, WindowWalk* walk) const;
  BatchPlan At(uint64_t epoch, uint64_t start, uint64_t step) const;

 private:
  class Epoch;
  Shard ShardFrom(uint64_t start) const;
  Config config_;
};

// The batches one after the other, from a place in an epoch through all the epochs before number `end`.
class PlanCursor {
 public:
  static constexpr uint64_t kEndless = ~uint64_t{0};

  // Precondition: plan.Steps(0) > 0.
  PlanCursor(const Plan& plan, uint64_t epoch, uint64_t start, uint64_t end = kEndless)
      : plan_(plan), walk_(plan.Walk()), epoch_(epoch), start_(start), end_(end) {}

  // nullopt at the end.
  std::optional<BatchPlan> Next();

 private:
  Plan plan_;
  std::optional<WindowWalk> walk_;
  uint64_t epoch_;
  uint64_t start_;
  uint64_t end_;
  uint64_t step_ = 0;
};

}  // namespace bucketline
