// MemoryBudget: a fixed number of bytes that many users share, first come, first served.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>

namespace bucketline {

class MemoryBudget;

// A share of a budget; returns itself on destruction. Movable. Must not outlive its budget.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { Release(); }

  uint64_t bytes() const { return bytes_; }
  void Release();                 // returns everything now; idempotent
  void ShrinkTo(uint64_t bytes);  // returns what is above `bytes`; no effect when it holds less
  void Merge(Reservation other);  // takes over `other`; throws kInternal when that is of another budget

 private:
  friend class MemoryBudget;
  Reservation(MemoryBudget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}
  MemoryBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

// Thread-safe. Never exceeded. Waiters are served strictly in the order of their calls, so a large request
// cannot be starved by small ones.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t capacity) : capacity_(capacity) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Waits for its turn and for room; nullopt when stop was requested.
  // Throws kResourceExhausted at once when bytes > capacity(): waiting could never help.
  std::optional<Reservation> Acquire(uint64_t bytes, std::stop_token stop = {});

  // nullopt when there is no room now or somebody waits.
  std::optional<Reservation> TryAcquire(uint64_t bytes);

  uint64_t capacity() const { return capacity_; }
  uint64_t used() const;
  uint64_t peak() const;   // the largest used() so far
  size_t waiting() const;  // calls of Acquire that wait now

 private:
  friend class Reservation;
  struct Waiter {
    uint64_t bytes = 0;
    bool granted = false;
    std::condition_variable_any wake;
  };
  void Return(uint64_t bytes);
  bool TakeLocked(uint64_t bytes);  // false when there is no room or somebody waits
  void UseLocked(uint64_t bytes);
  void GrantLocked();  // to those in front, as far as there is room

  const uint64_t capacity_;
  mutable std::mutex mutex_;
  uint64_t used_ = 0;
  uint64_t peak_ = 0;
  std::list<Waiter*> waiters_;
};

}  // namespace bucketline
