#include "bucketline/job/checkpoint_sync.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Quiet;

// A store whose next calls can be made to fail, and that tells when something was written or deleted.
class CheckpointSyncTest : public ::testing::Test {
 protected:
  CheckpointSyncTest() {
    runtime_.AddStore("data", std::make_shared<FaultStore>(inner_, [this](const StoreCall& call, uint64_t) {
                        const bool changes = call.op == StoreOp::kDelete || call.op == StoreOp::kCommit;
                        return changes && broken_
                                   ? Fault::FailBefore(Error(ErrorCode::kUnavailable, "injected"))
                                   : Fault::None();
                      }));
    options_.interval = std::chrono::milliseconds(1);
    options_.log = [this](LogLevel, std::string_view message) {
      std::lock_guard lock(mutex_);
      messages_.emplace_back(message);
      logged_.notify_all();
    };
    std::filesystem::create_directories(folder_.Path("1"));
    std::filesystem::create_directories(folder_.Path("2"));
  }

  std::unique_ptr<CheckpointSync> Start(const std::vector<std::string>& hosts = {"1"},
                                        const std::string& uri = "mem://data/ckpt") {
    std::vector<std::string> folders;
    for (const std::string& host : hosts) folders.push_back(folder_.Path(host));
    return std::make_unique<CheckpointSync>(runtime_, uri, folders, options_, std::stop_token());
  }

  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const ObjectInfo& object : ListAll(*inner_, "")) keys.push_back(object.key);
    return keys;
  }

  std::string Stored(const std::string& key) const {
    const Bytes bytes = GetBytes(*inner_, key);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  // Waits for what the thread of the sync brings about.
  template <typename Condition>
  static bool Eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  const testing::TempFolder folder_;
  const std::shared_ptr<ObjectStore> inner_ = MakeMemoryStore("data");
  std::atomic<bool> broken_ = false;
  CheckpointOptions options_;
  std::mutex mutex_;
  std::condition_variable logged_;
  std::vector<std::string> messages_;
  Runtime runtime_{Quiet()};
};

TEST_F(CheckpointSyncTest, EveryHostBeginsWithWhatIsThere) {
  PutBytes(*inner_, "ckpt/a/1.bin", "one");
  PutBytes(*inner_, "ckpt/2.bin", "two");
  PutBytes(*inner_, "ckpt/marker/", "");
  PutBytes(*inner_, "ckpt-other/3.bin", "three");
  const auto sync = Start({"1", "2"});
  for (const std::string host : {"1", "2"}) {
    EXPECT_EQ(std::filesystem::file_size(folder_.Path(host + "/a/1.bin")), 3u);
    EXPECT_TRUE(std::filesystem::exists(folder_.Path(host + "/2.bin")));
    EXPECT_FALSE(std::filesystem::exists(folder_.Path(host + "/3.bin")));
  }
  sync->Finish({});
  EXPECT_EQ(sync->counts().restored, 4u);
  EXPECT_EQ(sync->counts().uploaded, 0u);
  EXPECT_THAT(Keys(), ElementsAre("ckpt-other/3.bin", "ckpt/2.bin", "ckpt/a/1.bin", "ckpt/marker/"));
}

TEST_F(CheckpointSyncTest, WhatCannotBeRestoredIsAnError) {
  PutBytes(*inner_, "ckpt/../../escaped", "x");
  EXPECT_THAT(ErrorOf([&] { Start(); }).what(), HasSubstr("../../escaped"));
}

TEST_F(CheckpointSyncTest, WritesAndDeletesFollowWhileTheJobRuns) {
  const auto sync = Start();
  folder_.Put("1/a/x", "first");
  ASSERT_TRUE(Eventually([&] { return sync->counts().uploaded >= 1 && Stored("ckpt/a/x") == "first"; }));
  folder_.Put("1/a/x", "second!");
  ASSERT_TRUE(Eventually([&] { return sync->counts().uploaded >= 2 && Stored("ckpt/a/x") == "second!"; }));
  std::filesystem::remove_all(folder_.Path("1/a"));
  ASSERT_TRUE(Eventually([&] { return sync->counts().deleted == 1; }));
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(CheckpointSyncTest, TheLastLookTakesWhatHasNotSettled) {
  options_.interval = std::chrono::hours(1);
  const auto sync = Start({"1", "2"}, "mem://data");
  folder_.Put("1/x", "1");
  folder_.Put("2/y", "2");
  sync->Finish({});
  EXPECT_THAT(Keys(), ElementsAre("x", "y"));
}

TEST_F(CheckpointSyncTest, WhatAppearsInTheStoreStaysThere) {
  options_.interval = std::chrono::hours(1);
  const auto sync = Start();
  PutBytes(*inner_, "ckpt/later", "x");
  sync->Finish({});
  EXPECT_FALSE(std::filesystem::exists(folder_.Path("1/later")));
  EXPECT_THAT(Keys(), ElementsAre("ckpt/later"));
}

TEST_F(CheckpointSyncTest, AFailureIsReportedAndTriedAgain) {
  const auto sync = Start();
  broken_ = true;
  folder_.Put("1/x", "1");
  ASSERT_TRUE(Eventually([&] { return sync->counts().failed >= 2; }));
  broken_ = false;
  ASSERT_TRUE(Eventually([&] { return sync->counts().uploaded == 1; }));
  EXPECT_EQ(Stored("ckpt/x"), "1");
  broken_ = true;
  std::filesystem::remove(folder_.Path("1/x"));
  const uint64_t before = sync->counts().failed;
  ASSERT_TRUE(Eventually([&] { return sync->counts().failed > before; }));
  broken_ = false;
  sync->Finish({});
  EXPECT_THAT(Keys(), IsEmpty());
  std::lock_guard lock(mutex_);
  EXPECT_THAT(messages_.at(0), HasSubstr("tried again soon: mem://data/ckpt/x: injected"));
}

TEST_F(CheckpointSyncTest, TheLastFailureIsThrown) {
  const auto sync = Start();
  broken_ = true;
  folder_.Put("1/x", "1");
  EXPECT_EQ(ErrorOf([&] { sync->Finish({}); }).code(), ErrorCode::kUnavailable);
}

TEST_F(CheckpointSyncTest, AFolderThatIsGoneDeletesNothing) {
  PutBytes(*inner_, "ckpt/x", "1");
  options_.interval = std::chrono::hours(1);  // no look while the folder goes, file by file
  const auto sync = Start();
  std::filesystem::rename(folder_.Path("1"), folder_.Path("elsewhere"));  // at once, the file within it too
  EXPECT_THAT(ErrorOf([&] { sync->Finish({}); }).what(), HasSubstr(folder_.Path("1")));
  EXPECT_THAT(Keys(), ElementsAre("ckpt/x"));
}

TEST_F(CheckpointSyncTest, AStopEndsTheLastLook) {
  const auto sync = Start();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(ErrorOf([&] { sync->Finish(stop.get_token()); }).code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
