// What tests of Pipe channels share: readers that do what those of training containers do, and counts of what may leak.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/channel/channel.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline::testing {

inline constexpr std::chrono::seconds kPipeDeadline{30};

inline ChannelSpec PipeSpec(std::string uri = "mem://data/p/") {
  ChannelSpec spec;
  spec.name = "train";
  spec.uri = std::move(uri);
  spec.mode = ChannelMode::kPipe;
  return spec;
}

inline bool IsFifo(const std::string& path) {
  struct stat found = {};
  return ::lstat(path.c_str(), &found) == 0 && S_ISFIFO(found.st_mode);
}

// Whether poll finds one of `events` on `fd` before the deadline.
inline bool PollFor(int fd, short events, std::chrono::milliseconds deadline = kPipeDeadline) {
  pollfd wait{fd, events, 0};
  return ::poll(&wait, 1, static_cast<int>(deadline.count())) == 1;
}

// Waits until there is a FIFO at `path`; false after the deadline.
inline bool AwaitFifo(const std::string& path) {
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(watch.get(), std::filesystem::path(path).parent_path().c_str(), IN_CREATE);
  const auto end = std::chrono::steady_clock::now() + kPipeDeadline;
  while (!IsFifo(path)) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !PollFor(watch.get(), POLLIN, left)) return false;
    std::array<char, 4096> events;
    static_cast<void>(::read(watch.get(), events.data(), events.size()));
  }
  return true;
}

// One reader of one FIFO. Throws std::runtime_error where its like would fail or hang.
class PipeReader {
 public:
  enum class Kind {
    kBlocking,     // TensorFlow's PipeModeDataset: stat, a blocking open, 64 KiB at a time
    kNonBlocking,  // ml-io: O_NONBLOCK, poll for the first bytes and whenever there are none
  };

  PipeReader(const std::string& path, Kind kind) : path_(path), kind_(kind) {
    if (!AwaitFifo(path)) throw std::runtime_error(path + " did not appear");
    const int flags = O_RDONLY | O_CLOEXEC | (kind == Kind::kNonBlocking ? O_NONBLOCK : 0);
    fd_ = UniqueFd(::open(path.c_str(), flags));
    if (!fd_) throw std::runtime_error("cannot open " + path);
  }

  int fd() const { return fd_.get(); }
  void Close() { fd_.Close(); }

  // At most `most` bytes; fewer only at the end.
  std::string Read(size_t most) {
    std::string bytes;
    while (bytes.size() < most) {
      // A reader without O_NONBLOCK would hang where this one gives up.
      if (!PollFor(fd_.get(), POLLIN)) throw std::runtime_error("nothing comes from " + path_);
      std::array<char, size_t{64} << 10> piece;
      const ssize_t got = ::read(fd_.get(), piece.data(), std::min(piece.size(), most - bytes.size()));
      if (got < 0 && errno != EAGAIN) throw std::runtime_error("cannot read " + path_);
      if (got == 0) break;
      if (got > 0) bytes.append(piece.data(), static_cast<size_t>(got));
    }
    return bytes;
  }
  std::string ReadAll() { return Read(SIZE_MAX); }

 private:
  const std::string path_;
  const Kind kind_;
  UniqueFd fd_;
};

inline size_t CountIn(const char* folder) {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}
inline size_t OpenDescriptors() { return CountIn("/proc/self/fd"); }
inline size_t Threads() { return CountIn("/proc/self/task"); }

}  // namespace bucketline::testing
