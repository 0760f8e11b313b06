#include "bucketline/channel/fifo_writer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/uio.h>

#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

// What is smaller is put together: a copy costs less than a call. As many bytes as readers ask for at a time.
constexpr size_t kSmall = size_t{64} << 10;
constexpr int kForEver = -1;

}  // namespace

FifoWriter::FifoWriter(UniqueFd fd, int stop_fd, std::function<void(uint64_t bytes)> written, std::string uri)
    : fd_(std::move(fd)), stop_fd_(stop_fd), written_(std::move(written)), uri_(std::move(uri)) {
  small_.reserve(kSmall);
}

void FifoWriter::Write(std::span<const uint8_t> bytes) {
  if (small_.size() + bytes.size() <= kSmall) {
    small_.insert(small_.end(), bytes.begin(), bytes.end());
  } else {
    WriteThrough(bytes);
  }
}

void FifoWriter::Flush() {
  if (!small_.empty()) WriteThrough({});
}

// What waits, then `bytes`.
void FifoWriter::WriteThrough(std::span<const uint8_t> bytes) {
  std::span<const uint8_t> first = small_;
  while (state_ == State::kOpen && first.size() + bytes.size() > 0) {
    const std::array<iovec, 2> parts = {{{const_cast<uint8_t*>(first.data()), first.size()},
                                         {const_cast<uint8_t*>(bytes.data()), bytes.size()}}};
    const ssize_t done = ::writev(fd_.get(), parts.data(), parts.size());
    if (done >= 0) {
      written_(static_cast<uint64_t>(done));
      const size_t of_first = std::min(static_cast<size_t>(done), first.size());
      first = first.subspan(of_first);
      bytes = bytes.subspan(static_cast<size_t>(done) - of_first);
    } else if (errno == EPIPE) {
      state_ = State::kReaderGone;
    } else if (errno == EAGAIN) {
      Poll(POLLOUT, kForEver);
    } else if (errno != EINTR) {
      throw PosixError(errno, "write to the FIFO", uri_);
    }
  }
  small_.clear();
}

FifoWriter::State FifoWriter::Look() {
  if (state_ == State::kOpen) Poll(0, 0);
  return state_;
}

void FifoWriter::Hold() {
  while (state_ == State::kOpen) Poll(0, kForEver);
}

// Waits for `events`, or for what ends the writing.
void FifoWriter::Poll(short events, int timeout) {
  std::array<pollfd, 2> waits = {{{fd_.get(), events, 0}, {stop_fd_, POLLIN, 0}}};
  if (::poll(waits.data(), waits.size(), timeout) < 0 && errno != EINTR)
    throw PosixError(errno, "wait for the FIFO", uri_);
  if ((waits[0].revents & POLLERR) != 0) {
    state_ = State::kReaderGone;
  } else if (waits[1].revents != 0) {
    state_ = State::kStopped;
  }
}

}  // namespace bucketline
