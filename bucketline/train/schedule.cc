#include "bucketline/train/schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

void Require(bool holds, std::string message) {
  if (!holds) throw Error(ErrorCode::kInvalidArgument, std::move(message));
}

bool TakeSuffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

}  // namespace

TrainingSpan TrainingSpan::Parse(std::string_view text) {
  const std::string complaint =
      fmt::format("\"{}\" is no length of training; write 500steps or 1epoch", text);
  TrainingSpan span;
  if (TakeSuffix(text, "epochs") || TakeSuffix(text, "epoch")) {
    span.in_epochs = true;
  } else if (!TakeSuffix(text, "steps")) {
    Require(TakeSuffix(text, "step"), complaint);
  }
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), span.count, std::chars_format::fixed);
  Require(status == std::errc() && end == text.data() + text.size(), complaint);
  Require(span.count >= 0 && span.count <= 1e12, complaint);
  Require(span.in_epochs || span.count == std::floor(span.count), complaint);
  return span;
}

uint64_t TrainingSpan::Steps(uint64_t steps_in_epoch) const {
  if (!in_epochs) return static_cast<uint64_t>(count);
  if (count == 0) return 0;
  return std::max<uint64_t>(1,
                            static_cast<uint64_t>(std::llround(count * static_cast<double>(steps_in_epoch))));
}

std::string TrainingSpan::ToString() const {
  return fmt::format("{}{}", count, in_epochs ? "epochs" : "steps");
}

std::string_view ScheduleName(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::kLinear:
      return "linear";
    case ScheduleKind::kCosine:
      return "cosine";
    case ScheduleKind::kStep:
      return "step";
    case ScheduleKind::kConstant:
      break;
  }
  return "constant";
}

void LearningRateSchedule::Validate() const {
  Require(final_fraction >= 0 && final_fraction <= 1,
          fmt::format("the schedule's final fraction {} is not in [0, 1]", final_fraction));
  Require(factor > 0 && factor <= 1, fmt::format("the schedule's factor {} is not in (0, 1]", factor));
  Require(every.count > 0, "the step schedule needs a span above 0 between its steps, such as 30epochs");
}

ScheduleOfRun::ScheduleOfRun(const LearningRateSchedule& schedule, uint64_t steps, uint64_t steps_in_epoch)
    : schedule_(schedule),
      steps_(steps),
      steps_in_epoch_(steps_in_epoch),
      warmup_(schedule.warmup.Steps(steps_in_epoch)),
      every_(schedule.every.Steps(steps_in_epoch)) {
  schedule.Validate();
  Require(warmup_ == 0 || warmup_ < steps,
          fmt::format("the warm-up of {} steps takes the whole run of {} steps; give a shorter one", warmup_,
                      steps));
}

ScheduleOfRun ScheduleOfRun::Endless(const LearningRateSchedule& schedule) {
  Require(
      schedule.kind == ScheduleKind::kConstant && !(schedule.warmup.in_epochs && schedule.warmup.count > 0),
      "a stream does not say how many steps its epochs have: the learning rate can be constant, with a "
      "warm-up in "
      "steps; input mode FastFile has every schedule");
  return ScheduleOfRun(schedule, UINT64_MAX, 1);
}

double ScheduleOfRun::Factor(uint64_t step) const {
  step = std::min(step, steps_ - 1);
  if (step < warmup_) return static_cast<double>(step + 1) / static_cast<double>(warmup_);
  const double progress = static_cast<double>(step - warmup_) / static_cast<double>(steps_ - warmup_);
  const double floor = schedule_.final_fraction;
  switch (schedule_.kind) {
    case ScheduleKind::kLinear:
      return 1 - (1 - floor) * progress;
    case ScheduleKind::kCosine:
      return floor + (1 - floor) * (1 + std::cos(std::numbers::pi * progress)) / 2;
    case ScheduleKind::kStep:
      return std::pow(schedule_.factor, static_cast<double>(step / every_));
    case ScheduleKind::kConstant:
      break;
  }
  return 1;
}

std::string ScheduleOfRun::Fingerprint() const {
  std::string text(ScheduleName(schedule_.kind));
  const bool to_the_end = schedule_.kind == ScheduleKind::kLinear || schedule_.kind == ScheduleKind::kCosine;
  if (to_the_end)
    text += fmt::format(" over {} epochs to {}", steps_ / steps_in_epoch_, schedule_.final_fraction);
  if (schedule_.kind == ScheduleKind::kStep)
    text += fmt::format(" of {} every {}", schedule_.factor, schedule_.every.ToString());
  if (warmup_ > 0) text += fmt::format(", warm-up of {}", schedule_.warmup.ToString());
  return text;
}

std::string ScheduleOfRun::FingerprintInSteps() const {
  std::string text(ScheduleName(schedule_.kind));
  const bool to_the_end = schedule_.kind == ScheduleKind::kLinear || schedule_.kind == ScheduleKind::kCosine;
  if (to_the_end) text += fmt::format(" over {} steps to {}", steps_, schedule_.final_fraction);
  if (schedule_.kind == ScheduleKind::kStep)
    text += fmt::format(" of {} every {} steps", schedule_.factor, every_);
  if (warmup_ > 0) text += fmt::format(", warm-up of {} steps", warmup_);
  return text;
}

}  // namespace bucketline
