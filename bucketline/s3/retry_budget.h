// RetryBudget: a token bucket that keeps a failing store from being hit ten times as hard.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

namespace bucketline {

// Shared by all requests of a Runtime. While most requests succeed every retry is granted; while most fail
// the tokens run out, and requests fail with their last error instead of multiplying. Thread-safe.
class RetryBudget {
 public:
  static constexpr uint64_t kCapacity = 500;  // what an SDK gives a client
  static constexpr uint64_t kPerConcurrent =
      126;  // nine transient retries, all that a request has by default

  // For `concurrent` requests at a time. An outage that every one of them would survive by its own attempts must
  // not fail them through the budget; one that outlasts them all is not met with a second round.
  static constexpr uint64_t CapacityFor(uint64_t concurrent) {
    return std::max(kCapacity, kPerConcurrent * concurrent);
  }

  explicit RetryBudget(uint64_t capacity = kCapacity) : capacity_(capacity), tokens_(capacity) {}

  // Takes `cost` tokens, or none and says false.
  [[nodiscard]] bool TryTake(uint64_t cost);
  // Never above the capacity.
  void Return(uint64_t tokens);
  uint64_t tokens() const;

 private:
  const uint64_t capacity_;
  mutable std::mutex mutex_;
  uint64_t tokens_;
};

}  // namespace bucketline
