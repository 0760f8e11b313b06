// ListingPace: how fast a listing is, and how long the rest of it will take, for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace bucketline {

// How far a listing is.
struct ListingProgress {
  uint64_t objects = 0;                  // so far
  double per_second = 0;                 // of late
  std::optional<uint64_t> left = {};     // objects still to come, about; nullopt: nobody can tell
  std::optional<double> seconds_left{};  // likewise
};

// Not thread-safe.
class ListingPace {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kOfLate{10};

  explicit ListingPace(Clock::time_point now = Clock::now());

  // What is known now, with `objects` so far. What came at once at the beginning, from a listing before, counts as fast
  // for kOfLate only.
  ListingProgress Take(uint64_t objects, std::optional<uint64_t> left, Clock::time_point now = Clock::now());

 private:
  struct Sample {
    Clock::time_point time;
    uint64_t objects = 0;
  };
  std::deque<Sample>
      samples_;  // apart by a tenth of kOfLate at least; the first is the last that is as old as that
};

// "123000 objects, 45000/s" and, while more is to come and that is known, ", about 60 % listed, 2 s left".
std::string ListingText(const ListingProgress& progress);

}  // namespace bucketline
