// Counters and histograms that many threads may touch at once.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace bucketline {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Log-scaled: 8 buckets per power of two, so a quantile is at most 12.5 % too high; 64-bit values of any
// unit.
class Histogram {
 public:
  void Record(uint64_t value);

  uint64_t count() const { return count_.value(); }
  uint64_t sum() const { return sum_.value(); }
  uint64_t max() const { return max_.load(std::memory_order_relaxed); }

  // The upper edge of the bucket that holds the q-quantile, q in [0, 1]; 0 when empty; never above max().
  uint64_t Quantile(double q) const;

 private:
  static constexpr int kSubBits = 3;
  static constexpr int kBuckets = (64 - kSubBits + 1) << kSubBits;
  static int BucketOf(uint64_t value);
  static uint64_t UpperEdge(int bucket);

  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  Counter count_;
  Counter sum_;
  std::atomic<uint64_t> max_{0};
};

}  // namespace bucketline
