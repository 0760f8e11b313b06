// StopEvent: a stop token as a descriptor that poll can wait for.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <stop_token>

#include <sys/eventfd.h>
#include <unistd.h>

#include "bucketline/store/posix_error.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Readable from the moment that the stop is requested, for ever. Thread-safe.
class StopEvent {
 public:
  // Throws kResourceExhausted when there is no descriptor left.
  explicit StopEvent(const std::stop_token& stop)
      : fd_(Make()), callback_(stop, [this] {
          const uint64_t one = 1;
          static_cast<void>(::write(fd_.get(), &one, sizeof one));
        }) {}
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;

  int fd() const { return fd_.get(); }

 private:
  static int Make() {
    const int fd = ::eventfd(0, EFD_CLOEXEC);
    if (fd < 0) throw PosixError(errno, "make an event descriptor");
    return fd;
  }

  const UniqueFd fd_;
  const std::stop_callback<std::function<void()>> callback_;
};

}  // namespace bucketline
