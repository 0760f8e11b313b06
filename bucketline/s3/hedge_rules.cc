#include "bucketline/s3/hedge_rules.h"

#include <algorithm>

namespace bucketline {

size_t HedgeRules::ClassOf(uint64_t bytes) { return bytes <= 32 << 10 ? 0 : bytes <= 256 << 10 ? 1 : 2; }

std::optional<Duration> HedgeRules::Patience(uint64_t bytes) const {
  if (!Considers(bytes)) return std::nullopt;
  std::lock_guard lock(mutex_);
  const std::optional<Duration>& usual = classes_[ClassOf(bytes)].usual;
  return usual ? std::optional(std::max(*usual, kShortest)) : std::nullopt;
}

void HedgeRules::Record(uint64_t bytes, Duration first_byte) {
  if (!Considers(bytes)) return;
  std::lock_guard lock(mutex_);
  SizeClass& group = classes_[ClassOf(bytes)];
  Histogram& histogram = *group.microseconds;
  histogram.Record(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(first_byte).count()));
  if (histogram.count() < group.speaks_from || histogram.count() % kEnough != 0) return;
  group.usual = std::chrono::microseconds(histogram.Quantile(kUsual));
  if (histogram.count() < kWindow) return;
  group.microseconds = std::make_unique<Histogram>();
  group.speaks_from = kTrusted;
}

bool HedgeRules::TryTake(Duration patience, Duration waited) {
  const double share = waited >= patience * kVeryLate ? kShare : kShareOfLate;
  std::lock_guard lock(mutex_);  // one at a time, so that the share is never exceeded
  const auto after = static_cast<double>(counters_->hedges.value() + 1);
  if (after > share * static_cast<double>(counters_->requests.value())) return false;
  counters_->hedges.Add();
  return true;
}

}  // namespace bucketline
