#include "bucketline/cache/shared_copy.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/cache/range_lock.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RampBytes;

class SharedCopyTest : public ::testing::Test {
 protected:
  SharedCopyTest() { PutBytes(*memory_, "k", data_); }

  Bytes Read(ObjectStore& store, const std::stop_token& stop = {}) {
    return ReadShared(
        store, "k", "here", rules_,
        [this](LogLevel, std::string_view line) {
          const std::lock_guard lock(mutex_);
          logged_.emplace_back(line);
        },
        stop);
  }
  bool IsMapped() const {
    std::ifstream maps("/proc/self/maps");
    return std::string(std::istreambuf_iterator<char>(maps), {}).find(rules_.folder + "/copy-") !=
           std::string::npos;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    if (fs::exists(rules_.folder)) {
      for (const auto& entry : fs::directory_iterator(rules_.folder)) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  void ExpectPrivate(ObjectStore& store, const std::string& why) {
    EXPECT_EQ(Read(store).view(),
              std::string_view(reinterpret_cast<const char*>(data_.data()), data_.size()));
    EXPECT_FALSE(IsMapped());
    ASSERT_EQ(logged_.size(), 1u);
    EXPECT_THAT(logged_.front(), HasSubstr("mem://data/k is read into the memory of this process alone"));
    EXPECT_THAT(logged_.front(), HasSubstr(why));
  }

  const testing::TempFolder folder_;
  const std::vector<uint8_t> data_ = RampBytes(100'000);
  const std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  RecordingStore store_{memory_};
  SharedCopyRules rules_{.folder = folder_.Path("copies"), .least_size = 1000};
  std::mutex mutex_;
  std::vector<std::string> logged_;
};

TEST_F(SharedCopyTest, IsReadOnceAndMappedByAll) {
  const Bytes first = Read(store_);
  EXPECT_TRUE(std::ranges::equal(first.span(), data_));
  EXPECT_TRUE(IsMapped());
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 1u);
  EXPECT_TRUE(std::ranges::equal(Read(store_).span(), data_));
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 1u);
  EXPECT_EQ(store_.CountOf(StoreOp::kHead), 2u)
      << "whoever may not see the object any more sees no copy either";
  EXPECT_EQ(Files().size(), 1u);
  struct stat status = {};
  ASSERT_EQ(::stat(rules_.folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(SharedCopyTest, WhoComesMeanwhileWaitsForIt) {
  std::vector<std::future<Bytes>> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::async(std::launch::async, [&] { return Read(store_); }));
  }
  for (std::future<Bytes>& reader : readers) EXPECT_TRUE(std::ranges::equal(reader.get().span(), data_));
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 1u);
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(SharedCopyTest, AnotherStateIsAnotherFileAndTheOldOneLeaves) {
  const Bytes old = Read(store_);
  const std::vector<std::string> before = Files();
  const std::vector<uint8_t> changed(100'000, 7);
  PutBytes(*memory_, "k", changed);
  EXPECT_TRUE(std::ranges::equal(Read(store_).span(), changed));
  EXPECT_EQ(Files().size(), 1u);
  EXPECT_NE(Files(), before);
  EXPECT_TRUE(std::ranges::equal(old.span(), data_)) << "what is mapped stays";
}

TEST_F(SharedCopyTest, OtherStoresObjectsOfThatNameAreOthers) {
  Read(store_);
  ReadShared(store_, "k", "there", rules_, [](LogLevel, std::string_view) {}, {});
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 2u);
  EXPECT_EQ(Files().size(), 2u);
}

TEST_F(SharedCopyTest, WhatIsSmallNeedsNoFile) {
  rules_.least_size = data_.size() + 1;
  EXPECT_TRUE(std::ranges::equal(Read(store_).span(), data_));
  EXPECT_THAT(Files(), IsEmpty());
  rules_.largest_size = data_.size() - 1;
  EXPECT_THROW(Read(store_), Error);
}

TEST_F(SharedCopyTest, WhatAKillLeftIsMadeAnew) {
  static_cast<void>(Read(store_));
  const std::string file = Files().front();
  for (const size_t half : {0, 50'000, 100'000, 200'000}) {
    fs::remove(file);
    std::ofstream(file + ".new", std::ios::binary) << std::string(half, 'x');
    fs::permissions(file + ".new", fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(std::ranges::equal(Read(store_).span(), data_)) << half;
    EXPECT_EQ(Files(), std::vector{file});
  }
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 5u);
}

TEST_F(SharedCopyTest, ACopyOfAnotherLengthIsNoCopy) {
  static_cast<void>(Read(store_));
  fs::resize_file(Files().front(), 10);
  EXPECT_TRUE(std::ranges::equal(Read(store_).span(), data_));
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 2u);
}

TEST_F(SharedCopyTest, WhatNobodyOpenedForLongLeaves) {
  static_cast<void>(Read(store_));
  PutBytes(*memory_, "other", data_);
  const auto read_other = [&] {
    ReadShared(store_, "other", "here", rules_, [](LogLevel, std::string_view) {}, {});
  };
  read_other();
  EXPECT_EQ(Files().size(), 2u);
  const std::string mine = folder_.Path("copies/mine");
  folder_.Put("copies/mine", "x");
  for (const std::string& file : Files()) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - rules_.kept - std::chrono::hours(1));
  }
  static_cast<void>(Read(store_));  // in use again
  PutBytes(*memory_, "third", data_);
  ReadShared(store_, "third", "here", rules_, [](LogLevel, std::string_view) {}, {});
  EXPECT_EQ(Files().size(), 3u);
  EXPECT_TRUE(fs::exists(mine)) << "it is none of ours";
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 3u);
  static_cast<void>(Read(store_));
  EXPECT_EQ(store_.CountOf(StoreOp::kGet), 3u);
}

TEST_F(SharedCopyTest, AFolderThatOthersMayUseIsNotUsed) {
  fs::create_directory(rules_.folder);
  fs::permissions(rules_.folder, fs::perms::all);
  ExpectPrivate(store_, "somebody else's, or others may use it");
}

TEST_F(SharedCopyTest, ALinkIsNoFolder) {
  fs::create_directory(folder_.Path("elsewhere"));
  fs::create_directory_symlink(folder_.Path("elsewhere"), rules_.folder);
  ExpectPrivate(store_, "cannot open this folder");
  EXPECT_TRUE(fs::is_empty(folder_.Path("elsewhere")));
}

TEST_F(SharedCopyTest, WithoutAFolderItIsReadAllTheSame) {
  rules_.folder = folder_.Path("no/such");
  ExpectPrivate(store_, "cannot make this folder");
}

TEST_F(SharedCopyTest, NobodyWaitsForEver) {
  static_cast<void>(Read(store_));
  const std::string unfinished = Files().front() + ".new";
  fs::remove(Files().front());
  const UniqueFd held(::open(unfinished.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const auto lock = RangeLock::Try(held.get(), 0, LockKind::kExclusive);
  ASSERT_TRUE(lock);
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  const auto stopped = Catch([&] { return Read(store_, stop.get_token()); });
  stopper.join();
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kCancelled);
  rules_.patience = std::chrono::milliseconds(50);
  ExpectPrivate(store_, "another process began to read it and is not ready");
}

TEST_F(SharedCopyTest, AnErrorOfTheStoreIsTheReaders) {
  FaultStore refuses(memory_, [](const StoreCall& call, uint64_t) {
    return call.op == StoreOp::kGet ? Fault::FailBefore(Error(ErrorCode::kPermissionDenied, "no"))
                                    : Fault::None();
  });
  const auto read = Catch([&] { return Read(refuses); });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(Files(), IsEmpty());
  const auto missing =
      Catch([&] { return ReadShared(store_, "no", "here", rules_, [](LogLevel, std::string_view) {}, {}); });
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(SharedCopyTest, AnObjectThatIsReplacedMeanwhileIsAskedForAgain) {
  std::vector<uint8_t> now = data_;
  bool replaced = false;
  FaultStore replaces(memory_, [&](const StoreCall& call, uint64_t) {
    if (call.op == StoreOp::kGet && !replaced) {
      replaced = true;
      now.assign(50'000, 9);
      PutBytes(*memory_, "k", now);
    }
    return Fault::None();
  });
  EXPECT_TRUE(std::ranges::equal(Read(replaces).span(), now));
  EXPECT_EQ(Files().size(), 1u);
}

}  // namespace
}  // namespace bucketline
