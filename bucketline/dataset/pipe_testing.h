// For tests only: a job's folders, and a writer of Pipe channels.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/channel_place.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/records/recordio.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline::testing {

// One RecordIO record.
inline std::string Framed(std::string_view bytes) {
  std::string framed;
  RecordIoEncoder encoder(bytes.size());
  encoder.Write({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                [&](std::span<const uint8_t> piece) { framed.append(piece.begin(), piece.end()); });
  return framed;
}

// The folders of a training container, in which channel "train" is a Pipe.
class JobFolder {
 public:
  explicit JobFolder(std::string_view channels = R"({"train": {"TrainingInputMode": "Pipe",
      "S3DistributionType": "FullyReplicated", "RecordWrapperType": "RecordIO"}})") {
    folder_.Put("input/config/inputdataconfig.json", channels);
    std::filesystem::create_directories(folder_.Path("input/data"));
  }

  TempFolder& folder() { return folder_; }
  std::string Data(std::string_view name) const { return folder_.Path("input/data/" + std::string(name)); }

  // The environment of a process in it; `more`: its other variables.
  EnvironmentLookup Environment(std::vector<std::pair<std::string, std::string>> more = {}) const {
    more.emplace_back("SAGEMAKER_BASE_DIR", folder_.path());
    return [more = std::move(more)](const char* name) -> const char* {
      for (const auto& [variable, value] : more) {
        if (variable == name) return value.c_str();
      }
      return nullptr;
    };
  }

  ChannelPlace Train() const { return *FindChannel("train", Environment()); }

 private:
  TempFolder folder_;
};

// Writes the bytes of epoch after epoch to the FIFOs of a channel, on a thread of its own: the first is there at once,
// each next one before the last is closed. A reader that leaves early ends an epoch. What is not read when it is
// destroyed is dropped, with the FIFOs.
class PipeWriter {
 public:
  PipeWriter(const ChannelPlace& place, std::vector<std::string> epochs, uint64_t first = 0)
      : place_(place), epochs_(std::move(epochs)), first_(first) {
    Make(first_);
    thread_ = StartThread("test-writer", [this] { Run(); });
  }
  ~PipeWriter() {
    stopped_ = true;
    while (!done_) {  // an open that waits for a reader is given one; a write then fails
      const UniqueFd reader(open(place_.Fifo(at_).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
      std::this_thread::yield();
    }
    thread_.join();
    for (uint64_t i = first_; i <= first_ + epochs_.size(); ++i) unlink(place_.Fifo(i).c_str());
  }
  PipeWriter(const PipeWriter&) = delete;
  PipeWriter& operator=(const PipeWriter&) = delete;

  uint64_t opened() const { return opened_; }  // FIFOs that a reader has opened so far

 private:
  void Make(uint64_t number) const { mkfifo(place_.Fifo(number).c_str(), 0600); }

  void Run() {
    for (uint64_t i = 0; i < epochs_.size() && !stopped_; ++i) {
      at_ = first_ + i;
      const UniqueFd fifo(open(place_.Fifo(first_ + i).c_str(), O_WRONLY | O_CLOEXEC));
      ++opened_;
      std::string_view left = epochs_[i];
      while (!left.empty() && !stopped_) {
        const ssize_t written = write(fifo.get(), left.data(), left.size());
        if (written < 0) break;  // EPIPE
        left.remove_prefix(static_cast<size_t>(written));
      }
      if (i + 1 < epochs_.size()) Make(first_ + i + 1);
    }
    done_ = true;
  }

  const ChannelPlace place_;
  const std::vector<std::string> epochs_;
  const uint64_t first_;
  std::atomic<uint64_t> opened_ = 0;
  std::atomic<uint64_t> at_ = 0;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace bucketline::testing
