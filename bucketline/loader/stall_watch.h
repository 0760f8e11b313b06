// StallWatch: a wait for data that says, now and then, that it is long.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "bucketline/base/clock.h"

namespace bucketline {

// One waiter at a time. One wait may take several calls.
class StallWatch {
 public:
  explicit StallWatch(Duration step) : step_(step) {}

  // Waits for `ready` under the lock: false when `until` comes first. Calls `warn(waited)`, under the lock too, each time
  // that the whole wait, of however many calls since End, has grown by another step.
  template <typename Ready, typename Warn>
  bool Wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, SteadyTime until,
            Ready ready, Warn warn) {
    if (ready()) return true;
    SteadyTime now = Clock::Real().Now();
    if (!since_) since_ = now;
    for (;;) {
      const SteadyTime warning = *since_ + step_ * ((now - *since_) / step_ + 1);
      if (changed.wait_until(lock, std::min(until, warning), ready)) return true;
      now = Clock::Real().Now();
      if (now >= warning) warn(now - *since_);
      if (ready()) return true;
      if (now >= until) return false;
    }
  }

  // What was waited for has come.
  void End() { since_.reset(); }

 private:
  const Duration step_;
  std::optional<SteadyTime> since_;
};

}  // namespace bucketline
