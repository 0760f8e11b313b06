// RangeLock: locks of single bytes of a file, between threads and processes, which end with their holder.
#pragma once

#include <cstdint>
#include <optional>

#include "bucketline/base/clock.h"

namespace bucketline {

enum class LockKind { kShared, kExclusive };

// A byte of the open file `fd`, until destroyed or until the process ends, however it does (open file description locks).
// Holders are told apart by their opening of the file: two locks on one `fd` do not exclude each other.
class RangeLock {
 public:
  // nullopt when somebody else holds it in a way that excludes this. Throws PosixError.
  static std::optional<RangeLock> Try(int fd, uint64_t byte, LockKind kind);

  // Asks again and again until the deadline; nullopt then.
  static std::optional<RangeLock> Wait(int fd, uint64_t byte, LockKind kind, Duration deadline);

  RangeLock(RangeLock&& other) noexcept;
  RangeLock& operator=(RangeLock&& other) noexcept;
  ~RangeLock();

  // Whether a holder other than `fd` has one of the `count` bytes from `first` on.
  static bool HeldByOthers(int fd, uint64_t first, uint64_t count);

 private:
  RangeLock(int fd, uint64_t byte) : fd_(fd), byte_(byte) {}

  int fd_ = -1;
  uint64_t byte_ = 0;
};

}  // namespace bucketline
