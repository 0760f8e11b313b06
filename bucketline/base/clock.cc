#include "bucketline/base/clock.h"

namespace bucketline {
namespace {

class RealClock : public Clock {
 public:
  SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
  WallTime WallNow() const override { return std::chrono::system_clock::now(); }
};

}  // namespace

const Clock& Clock::Real() {
  static const RealClock clock;
  return clock;
}

SteadyTime ManualClock::Now() const {
  std::lock_guard lock(mutex_);
  return steady_;
}

WallTime ManualClock::WallNow() const {
  std::lock_guard lock(mutex_);
  return wall_;
}

void ManualClock::Advance(Duration by) {
  std::lock_guard lock(mutex_);
  steady_ += by;
  wall_ += by;
}

int MillisecondsUntil(SteadyTime now, SteadyTime then) {
  constexpr std::chrono::milliseconds kMost = std::chrono::hours(24);
  if (then <= now) return 0;
  if (then - kMost >= now) return static_cast<int>(kMost.count());
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(then - now).count());
}

}  // namespace bucketline
