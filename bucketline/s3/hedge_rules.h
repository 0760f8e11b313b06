// HedgeRules: when a late read is asked for a second time, and how often that may happen.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "bucketline/base/clock.h"
#include "bucketline/base/metrics.h"
#include "bucketline/s3/s3_store.h"

namespace bucketline {

// Shared by all requests of a Runtime. Thread-safe.
//
// A read is late when its first byte has not come after what kUsual of the reads of its size took, and never before
// kShortest: what is slow for everybody is not mended by asking twice.
class HedgeRules {
 public:
  static constexpr uint64_t kLargest = uint64_t{1}
                                       << 20;  // bytes: beyond it the transfer is what takes the time
  static constexpr Duration kShortest = std::chrono::milliseconds(200);
  static constexpr double kShare = 0.03;  // of all requests, at most
  static constexpr double kShareOfLate =
      0.0275;  // of those that are not kVeryLate times as late as late ones
  static constexpr double kVeryLate = 1.5;
  static constexpr double kUsual = 0.975;  // a quantile that the share is enough for

  explicit HedgeRules(S3Counters* counters) : counters_(counters) {}

  // False when a read of so many bytes is too large for a second one.
  static bool Considers(uint64_t bytes) { return bytes <= kLargest; }

  // How long a read of `bytes` may stay without an answer; nullopt when it is too large for a second one, or too few
  // like it have been seen yet.
  std::optional<Duration> Patience(uint64_t bytes) const;

  // What a read of `bytes` took to its first byte, or at least took when it was given up for its second.
  void Record(uint64_t bytes, Duration first_byte);

  // Takes one of the share for a read that is late after `patience` and has waited for so long, and counts it in the
  // counters; false when the share is used up. Its last part is for the latest of reads.
  bool TryTake(Duration patience, Duration waited);

 private:
  // A percentile is made of at least kEnough reads (the first ones) and of at most kWindow, after which the counting begins
  // anew: the network of an hour ago says nothing. It is looked at after each kEnough, as such a quantile of a hundred
  // is a poor one, and a new window speaks only once it has kTrusted.
  static constexpr uint64_t kWindow = 4000;
  static constexpr uint64_t kTrusted = 1000;
  static constexpr uint64_t kEnough = 100;

  struct SizeClass {
    std::unique_ptr<Histogram> microseconds = std::make_unique<Histogram>();
    uint64_t speaks_from = kEnough;
    std::optional<Duration> usual;
  };
  static size_t ClassOf(uint64_t bytes);

  S3Counters* const counters_;
  mutable std::mutex mutex_;
  std::array<SizeClass, 3> classes_;
};

}  // namespace bucketline
