#include "bucketline/dataset/pipe_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr std::chrono::milliseconds kLookAgain{20};  // for a FIFO that is not there yet

}  // namespace

PipeFile::PipeFile(std::string path, Duration patience, std::stop_token stop)
    : path_(std::move(path)), patience_(patience), stop_(std::move(stop)), stop_event_(stop_) {
  Open();
}

// Opening without waiting for a writer: what comes first, the writer or a stop, is for poll to say.
void PipeFile::Open() {
  const SteadyTime until = Clock::Real().Now() + patience_;
  for (;;) {
    UniqueFd opened(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    const int error = errno;
    if (opened) {
      fifo_ = std::move(opened);
      break;
    }
    if (error != ENOENT) throw PosixError(error, "open a channel's FIFO", path_);
    const SteadyTime now = Clock::Real().Now();
    if (now >= until) {
      throw Error(ErrorCode::kTimeout,
                  fmt::format("this FIFO was not there after {:.3g} s; is the channel being served?",
                              Seconds(patience_)),
                  path_);
    }
    bool ready = false;
    Await(-1, std::min<Duration>(kLookAgain, until - now), &ready);
  }
  struct stat info{};
  if (fstat(fifo_.get(), &info) != 0) throw PosixError(errno, "look at a channel's FIFO", path_);
  if (!S_ISFIFO(info.st_mode)) {
    throw Error(ErrorCode::kInvalidArgument, "this is no FIFO, as an epoch of a Pipe channel should be",
                path_);
  }
}

// `fd` may be -1: nothing to wait for but a stop.
void PipeFile::Await(int fd, Duration longest, bool* ready) {
  const SteadyTime start = Clock::Real().Now();
  for (;;) {
    pollfd fds[2] = {{.fd = stop_event_.fd(), .events = POLLIN, .revents = 0},
                     {.fd = fd, .events = POLLIN, .revents = 0}};
    const Duration left = std::max(Duration::zero(), longest - (Clock::Real().Now() - start));
    const timespec timeout = {.tv_sec = left / std::chrono::seconds(1),
                              .tv_nsec = (left % std::chrono::seconds(1)).count()};
    const int count = ppoll(fds, 2, &timeout, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw PosixError(errno, "wait for a channel's FIFO", path_);
    waited_ += Clock::Real().Now() - start;
    if (fds[0].revents != 0) throw Error(ErrorCode::kCancelled, "reading the channel was stopped", path_);
    *ready = fds[1].revents != 0;
    return;
  }
}

void PipeFile::AwaitWriter() {
  bool ready = false;
  Await(fifo_.get(), patience_, &ready);
  if (ready) {
    begun_ = true;
    return;
  }
  throw Error(
      ErrorCode::kTimeout,
      begun_ ? fmt::format("the writer of this FIFO has written nothing for {:.3g} s", Seconds(patience_))
             : fmt::format("nobody has written to this FIFO for {:.3g} s; is the channel being served?",
                           Seconds(patience_)),
      path_);
}

size_t PipeFile::Read(std::span<uint8_t> target) {
  for (;;) {
    // Before a writer has come, read() would give 0 too.
    const ssize_t got = begun_ ? read(fifo_.get(), target.data(), target.size()) : -1;
    if (got >= 0) return static_cast<size_t>(got);
    if (begun_ && errno != EAGAIN && errno != EINTR) throw PosixError(errno, "read a channel's FIFO", path_);
    AwaitWriter();
  }
}

}  // namespace bucketline
