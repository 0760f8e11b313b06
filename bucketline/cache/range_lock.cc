#include "bucketline/cache/range_lock.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include <fcntl.h>

#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

struct flock Range(uint64_t first, uint64_t count, short type) {
  struct flock range = {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(first);
  range.l_len = static_cast<off_t>(count);
  return range;
}

}  // namespace

std::optional<RangeLock> RangeLock::Try(int fd, uint64_t byte, LockKind kind) {
  struct flock range = Range(byte, 1, kind == LockKind::kShared ? F_RDLCK : F_WRLCK);
  while (::fcntl(fd, F_OFD_SETLK, &range) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    if (errno != EINTR) throw PosixError(errno, "lock the cache");
  }
  return RangeLock(fd, byte);
}

// The kernel can wait for such a lock, but not until a deadline.
std::optional<RangeLock> RangeLock::Wait(int fd, uint64_t byte, LockKind kind, Duration deadline) {
  const SteadyTime end = Clock::Real().Now() + deadline;
  for (Duration pause = std::chrono::microseconds(50);;
       pause = std::min<Duration>(2 * pause, std::chrono::milliseconds(20))) {
    if (auto lock = Try(fd, byte, kind)) return lock;
    if (Clock::Real().Now() >= end) return std::nullopt;
    std::this_thread::sleep_for(pause);
  }
}

RangeLock::RangeLock(RangeLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)), byte_(other.byte_) {}

RangeLock& RangeLock::operator=(RangeLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(byte_, other.byte_);
  return *this;
}

RangeLock::~RangeLock() {
  if (fd_ < 0) return;
  struct flock range = Range(byte_, 1, F_UNLCK);
  ::fcntl(fd_, F_OFD_SETLK, &range);
}

bool RangeLock::HeldByOthers(int fd, uint64_t first, uint64_t count) {
  struct flock range = Range(first, count, F_WRLCK);
  if (::fcntl(fd, F_OFD_GETLK, &range) != 0) throw PosixError(errno, "look at the cache's locks");
  return range.l_type != F_UNLCK;
}

}  // namespace bucketline
