// Learning-rate schedules: pure functions of (step, steps of the run, steps of an epoch).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bucketline {

// A length of training in steps or in epochs: "500steps", "1step", "1epoch", "0.5epochs".
struct TrainingSpan {
  double count = 0;
  bool in_epochs = false;

  // Throws kInvalidArgument. Steps are whole numbers; epochs may be fractions.
  static TrainingSpan Parse(std::string_view text);
  // In steps, rounded to the nearest; a span above 0 is at least one step.
  uint64_t Steps(uint64_t steps_in_epoch) const;
  std::string ToString() const;  // what Parse reads
  friend bool operator==(const TrainingSpan&, const TrainingSpan&) = default;
};

enum class ScheduleKind { kConstant, kLinear, kCosine, kStep };

std::string_view ScheduleName(ScheduleKind kind);  // "constant", "linear", "cosine", "step"

struct LearningRateSchedule {
  ScheduleKind kind = ScheduleKind::kConstant;
  TrainingSpan warmup = {};         // the rate rises linearly over these first steps, whatever the kind
  double final_fraction = 0;        // of the learning rate: where linear and cosine end
  TrainingSpan every = {30, true};  // kStep: after each of these the rate is multiplied by `factor`
  double factor = 0.1;              // kStep

  // Throws kInvalidArgument: a figure out of range.
  void Validate() const;
};

// The schedule of one run. Throws kInvalidArgument when its warm-up takes the whole run.
class ScheduleOfRun {
 public:
  ScheduleOfRun(const LearningRateSchedule& schedule, uint64_t steps, uint64_t steps_in_epoch);

  // Of a run whose length nobody knows. Throws kInvalidArgument for a schedule that depends on it: one that is not
  // constant, or has a warm-up in epochs.
  static ScheduleOfRun Endless(const LearningRateSchedule& schedule);

  // What the learning rate is multiplied by in step `step`, counted from 0. During a warm-up of W steps
  // (step + 1) / W; then of p, the share of the steps after the warm-up that are done: linear
  // 1 - (1 - final) p, cosine final + (1 - final)(1 + cos(pi p)) / 2. kStep counts from the run's first step,
  // as its boundaries are thought of in whole epochs. Steps beyond the run have the last step's factor.
  double Factor(uint64_t step) const;

  // Two runs whose text is the same have the same factors at the same part of the same epoch, whatever their batch size
  // and ranks: what a checkpoint remembers.
  std::string Fingerprint() const;
  // The same by steps, as earlier versions remembered it.
  std::string FingerprintInSteps() const;

 private:
  LearningRateSchedule schedule_;
  uint64_t steps_;
  uint64_t steps_in_epoch_;
  uint64_t warmup_;
  uint64_t every_;
};

}  // namespace bucketline
