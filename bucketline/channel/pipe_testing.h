// What tests of Pipe channels share: readers that do what those of training containers do, and counts of what may leak.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/channel/pipe_channel.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline::testing {

inline constexpr std::chrono::seconds kPipeDeadline{120};

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

  PipeReader(const std::string& path, Kind kind) : path_(path) {
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
  // At most `most` bytes of those that are there; may be none.
  std::string ReadNow(size_t most) {
    if (!PollFor(fd_.get(), POLLIN, std::chrono::milliseconds(0))) return {};
    std::array<char, size_t{64} << 10> piece;
    const ssize_t got = ::read(fd_.get(), piece.data(), std::min(piece.size(), most));
    return got > 0 ? std::string(piece.data(), static_cast<size_t>(got)) : std::string();
  }
  std::string ReadAll() { return Read(SIZE_MAX); }

 private:
  std::string path_;
  UniqueFd fd_;
};

inline size_t CountIn(const char* folder) {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}
inline size_t OpenDescriptors() { return CountIn("/proc/self/fd"); }
inline size_t Threads() { return CountIn("/proc/self/task"); }
// Whether there are so many: a thread that was joined may be listed for a moment more.
inline bool AwaitThreads(size_t count) {
  const auto end = std::chrono::steady_clock::now() + kPipeDeadline;
  while (Threads() != count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  return Threads() == count;
}

inline std::string Ramp(size_t size, uint64_t seed) {
  const std::vector<uint8_t> bytes = RampBytes(size, seed);
  return {bytes.begin(), bytes.end()};
}

// What a channel told of its failure.
class Failures {
 public:
  void Add(Error error) {
    const std::lock_guard lock(mutex_);
    errors_.push_back(std::move(error));
    changed_.notify_all();
  }

  // Waits for the first, and gives all there are; none after the deadline.
  std::vector<Error> Await() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPipeDeadline, [&] { return !errors_.empty(); });
    return errors_;
  }
  std::vector<Error> Now() const {
    const std::lock_guard lock(mutex_);
    return errors_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Error> errors_;
};

// A channel over objects in RAM ("mem://data/p/", and "mem://seen/p/" where what is asked for is recorded), its FIFOs in a
// folder of its own.
class PipeChannelTest : public ::testing::Test {
 protected:
  PipeChannelTest() { bucket_.runtime().AddStore("seen", recording_); }

  // Objects of these sizes; what they are one after another.
  std::string Fill(const std::vector<size_t>& sizes) {
    std::string all;
    for (size_t i = 0; i < sizes.size(); ++i) {
      const std::string bytes = Ramp(sizes[i], i + 1);
      bucket_.Put("p/" + std::to_string(1000 + i), bytes);
      all += bytes;
    }
    return all;
  }

  std::unique_ptr<PipeChannel> Serve(const ChannelSpec& spec = PipeSpec(), PipeOptions options = {},
                                     ChannelHost host = {}) {
    return ServePipe(bucket_.runtime(), spec, host, folder_.path(), std::move(options),
                     [this](Error error) { failures_.Add(std::move(error)); });
  }

  std::string Path(uint64_t epoch) const { return folder_.Path("train_" + std::to_string(epoch)); }
  std::string ReadEpoch(uint64_t epoch, PipeReader::Kind kind = PipeReader::Kind::kBlocking) {
    return PipeReader(Path(epoch), kind).ReadAll();
  }

  Bucket bucket_;
  std::shared_ptr<RecordingStore> recording_ = std::make_shared<RecordingStore>(bucket_.store());
  TempFolder folder_;
  Failures failures_;
};

}  // namespace bucketline::testing
