// What tests of mounts share: a bucket, a folder to mount it on, and what was logged.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/channel/mount.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline::testing {

inline constexpr std::chrono::seconds kMountDeadline(120);

// What the runtime logged. Thread-safe.
class Log {
 public:
  LogSink Sink() {
    return [this](LogLevel, std::string_view line) {
      std::lock_guard lock(mutex_);
      lines_.emplace_back(line);
    };
  }
  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Skipped, with the reason, where the system does not mount. Nothing stays mounted.
class MountFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    runtime_.AddStore("data", store_);
    PutBytes(*memory_, "x-probe/x", std::string_view("x"));
    try {
      Mount probe(Dataset::Open(runtime_, "mem://data/x-probe/", {.extensions = {}}), 8, temp_.Path("probe"));
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  void TearDown() override {  // also of a test that failed
    ::umount2(folder_.c_str(), MNT_DETACH);
  }

  Fault FaultOf(const StoreCall& call) const {
    return call.op == StoreOp::kGet && hang_.load() ? Fault::Hang() : Fault::None();
  }

  void Put(const std::string& name, std::string_view text) { PutBytes(*memory_, "p/" + name, text); }
  std::string PutRamp(const std::string& name, size_t size, uint64_t seed = 1) {
    const std::vector<uint8_t> bytes = RampBytes(size, seed);
    Put(name, {reinterpret_cast<const char*>(bytes.data()), size});
    return {bytes.begin(), bytes.end()};
  }

  Dataset Open() { return Dataset::Open(runtime_, "mem://data/p/", {.extensions = {}}); }
  std::unique_ptr<Mount> Start(const MountOptions& options = {}) {
    return std::make_unique<Mount>(Open(), 2, folder_, options);
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::set<std::string> NamesIn(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      names.insert(entry.path().filename());
    return names;
  }
  // The errno of reading the file's first byte; 0 when that works.
  int ErrnoOfRead(const std::string& name) const {
    const UniqueFd fd(open(Path(name).c_str(), O_RDONLY | O_CLOEXEC));
    char byte = 0;
    return fd && pread(fd.get(), &byte, 1, 0) == 1 ? 0 : errno;
  }
  bool IsMounted() const {
    struct stat inside{}, outside{};
    return stat(folder_.c_str(), &inside) == 0 && stat(temp_.path().c_str(), &outside) == 0 &&
           inside.st_dev != outside.st_dev;
  }

  const TempFolder temp_;
  const std::string folder_ = temp_.Path("mount");
  Log log_;
  std::atomic<bool> hang_{false};
  const std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  const std::shared_ptr<RecordingStore> store_ =
      std::make_shared<RecordingStore>(std::make_shared<FaultStore>(
          memory_, [this](const StoreCall& call, uint64_t) { return FaultOf(call); }));
  Runtime runtime_{[this] {
    RuntimeOptions options;
    options.log = log_.Sink();
    return options;
  }()};
};

}  // namespace bucketline::testing
