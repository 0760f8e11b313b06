#include "bucketline/base/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bucketline {

int Histogram::BucketOf(uint64_t value) {
  if (value < (1u << kSubBits)) return static_cast<int>(value);
  const int exponent = std::bit_width(value) - 1 - kSubBits;  // >= 0
  return ((exponent + 1) << kSubBits) + static_cast<int>((value >> exponent) & ((1u << kSubBits) - 1));
}

uint64_t Histogram::UpperEdge(int bucket) {
  if (bucket < (1 << kSubBits)) return static_cast<uint64_t>(bucket);
  const int exponent = (bucket >> kSubBits) - 1;
  const uint64_t mantissa = (1u << kSubBits) + (static_cast<uint64_t>(bucket) & ((1u << kSubBits) - 1));
  return ((mantissa + 1) << exponent) - 1;  // wraps to the largest value in the last bucket, as it should
}

void Histogram::Record(uint64_t value) {
  uint64_t seen = max_.load(std::memory_order_relaxed);
  while (value > seen && !max_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
  buckets_[static_cast<size_t>(BucketOf(value))].fetch_add(1, std::memory_order_relaxed);
  count_.Add();
  sum_.Add(value);
}

uint64_t Histogram::Quantile(double q) const {
  const uint64_t total = count();
  if (total == 0) return 0;
  const auto rank =
      std::clamp<uint64_t>(static_cast<uint64_t>(std::ceil(q * static_cast<double>(total))), 1, total);
  uint64_t seen = 0;
  for (int bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[static_cast<size_t>(bucket)].load(std::memory_order_relaxed);
    if (seen >= rank) return std::min(UpperEdge(bucket), max());
  }
  return max();
}

}  // namespace bucketline
