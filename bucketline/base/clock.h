// Clock: the time, as a parameter, so that tests can move it.
#pragma once

#include <chrono>
#include <mutex>

namespace bucketline {

using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

inline double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime Now() const = 0;    // never goes back; for durations and deadlines
  virtual WallTime WallNow() const = 0;  // UTC; for signatures, expiry and logs

  static const Clock& Real();  // lives forever
};

// What poll and epoll_wait take: rounded up, so that they never return early; 0 when `then` has passed, at most a day.
int MillisecondsUntil(SteadyTime now, SteadyTime then);

// Stands still until told to move.
class ManualClock : public Clock {
 public:
  explicit ManualClock(WallTime wall = WallTime{}) : wall_(wall) {}
  SteadyTime Now() const override;
  WallTime WallNow() const override;
  void Advance(Duration by);

 private:
  mutable std::mutex mutex_;
  SteadyTime steady_{};
  WallTime wall_;
};

}  // namespace bucketline
