// MountPace: how far ahead of a reader it is worth to read: as much as it takes while a piece is under way, and some.
#pragma once

#include <cstdint>

#include "bucketline/base/clock.h"

namespace bucketline {

// The least of the latest few thousand durations: how long a piece takes when it need not queue. Not thread-safe.
class LeastLatency {
 public:
  void Add(Duration latency);
  Duration get() const;  // 0 before the first

 private:
  static constexpr int kPeriod = 4096;  // samples
  int count_ = 0;
  Duration now_ = Duration::max();     // of this period
  Duration before_ = Duration::max();  // of the last one
};

// The speed of one reader of late. Not thread-safe.
class MountPace {
 public:
  void Note(SteadyTime now, uint64_t bytes);

  // Bytes: four times what the reader takes in `latency` (so that a reader that waits for the store gets faster with each
  // round), 8 MiB at least. More would only hold memory that nobody has waited for.
  uint64_t Worthwhile(SteadyTime now, Duration latency) const;

 private:
  bool begun_ = false;
  SteadyTime since_{};
  uint64_t bytes_ = 0;  // taken since then
};

}  // namespace bucketline
