#include "bucketline/dataset/fetcher.h"

#include <chrono>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/fetcher_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::FetcherTest;
using ::testing::HasSubstr;
using testing::kFetchDeadline;

TEST_F(FetcherTest, DeliversExactlyTheBytes) {
  PutObjects({100, 0, 4096, 1});
  parts_.push_back(
      {.object_key = "2", .offset = 1000, .length = 50, .object_size = 4096, .etag = parts_[2].etag});
  auto fetcher = Start(memory_, large_);
  ASSERT_TRUE(deliveries_.WaitFor(5));
  for (size_t i = 0; i < 4; ++i) {
    const Result<Fetched> result = deliveries_.Take(i);
    ASSERT_TRUE(result) << result.error().what();
    EXPECT_EQ(result->bytes.ToString(),
              Bytes::FromVector(testing::RampBytes(parts_[i].length, i)).ToString());
    EXPECT_EQ(result->lease.bytes(), parts_[i].length);
    EXPECT_GE(result->wall.count(), 0);
  }
  const std::vector<uint8_t> whole = testing::RampBytes(4096, 2);
  EXPECT_EQ(deliveries_.Take(4)->bytes.ToString(), Bytes::FromVector(whole).Slice(1000, 50).ToString());
}

TEST_F(FetcherTest, AsksPinned) {
  PutObjects({10, 20, 30, 40, 50, 60});
  auto recording = std::make_shared<RecordingStore>(memory_);
  auto fetcher = Start(recording, large_);
  ASSERT_TRUE(deliveries_.WaitFor(6));
  const std::vector<StoreCall> calls = recording->calls();
  ASSERT_EQ(calls.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    const RecordPart& part = parts_.at(std::stoul(calls[i].key));
    EXPECT_EQ(calls[i].pin.etag, part.etag);
    EXPECT_EQ(calls[i].pin.size, part.object_size);
    EXPECT_EQ(calls[i].length, std::nullopt);  // whole objects need no range
  }
}

TEST_F(FetcherTest, BySizeNoEtagIsAsked) {
  PutObjects({10});
  auto recording = std::make_shared<RecordingStore>(memory_);
  auto fetcher = Start(recording, large_, PinMode::kSize);
  ASSERT_TRUE(deliveries_.WaitFor(1));
  EXPECT_EQ(recording->calls().at(0).pin.etag, "");
  EXPECT_EQ(recording->calls().at(0).pin.size, 10u);
}

TEST_F(FetcherTest, HoldsNoMoreThanTheBudget) {
  PutObjects(std::vector<size_t>(20, 100));
  MemoryBudget& budget = Budget(250);
  auto fetcher = Start(memory_, budget);
  for (size_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(deliveries_.WaitForTag(i));  // completions come in any order
    ASSERT_TRUE(deliveries_.Take(i));        // and gives the lease back
  }
  fetcher->Stop();
  EXPECT_LE(budget.peak(), 250u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(FetcherTest, WaitsForRoomUntilALeaseIsGivenBack) {
  PutObjects({100, 100, 100});
  MemoryBudget& budget = Budget(200);
  auto fetcher = Start(memory_, budget);
  ASSERT_TRUE(deliveries_.WaitFor(2));
  const auto deadline = std::chrono::steady_clock::now() + kFetchDeadline;
  while (budget.waiting() == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(budget.waiting(), 1u);
  EXPECT_EQ(deliveries_.count(), 2u);
  ASSERT_TRUE(deliveries_.Take(0));
  EXPECT_TRUE(deliveries_.WaitFor(3));
}

TEST_F(FetcherTest, TheCommonBudgetIsTakenToo) {
  PutObjects({100, 100});
  MemoryBudget& common = Budget(1000);
  auto fetcher = Start(memory_, large_, PinMode::kEtag, &common);
  ASSERT_TRUE(deliveries_.WaitFor(2));
  EXPECT_EQ(common.used(), 200u);
  ASSERT_TRUE(deliveries_.Take(0));
  EXPECT_EQ(common.used(), 100u);
  deliveries_.Take(1)->lease.Release();
  EXPECT_EQ(common.used(), 0u);
  EXPECT_EQ(large_.used(), 0u);
}

TEST_F(FetcherTest, MemoryGoesRound) {
  constexpr size_t kSize = BufferPool::kSmallest;
  PutObjects(std::vector<size_t>(8, kSize));
  MemoryBudget& budget = Budget(kSize * 16);  // of which a sixteenth may lie idle
  MemoryBudget one(1);
  std::mutex mutex;
  std::condition_variable free;
  std::set<const uint8_t*> memories;
  size_t delivered = 0;
  Fetcher fetcher({.budget = &budget, .requests = &one}, InOrder(memory_, PinMode::kEtag),
                  [&](uint64_t, Result<Fetched> result) {
                    std::lock_guard lock(mutex);
                    ASSERT_TRUE(result);
                    memories.insert(result->bytes.data());
                    result->bytes = {};  // before the next one begins, as there is one request at a time
                    ++delivered;
                    free.notify_all();
                  });
  std::unique_lock lock(mutex);
  ASSERT_TRUE(free.wait_for(lock, kFetchDeadline, [&] { return delivered == 8; }));
  EXPECT_LE(memories.size(), 2u);
}

TEST_F(FetcherTest, ErrorsNameTheObjectAndTheRestGoesOn) {
  PutObjects({10, 10, 10});
  DeleteObject(*memory_, "1");
  auto fetcher = Start(memory_, large_);
  ASSERT_TRUE(deliveries_.WaitFor(3));
  const Result<Fetched> missing = deliveries_.Take(1);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().uri(), "mem://data/1");
  EXPECT_TRUE(deliveries_.Take(0));
  EXPECT_TRUE(deliveries_.Take(2));
  EXPECT_EQ(large_.used(), 0u);
}

TEST_F(FetcherTest, AChangedObjectNamesTheRemedy) {
  PutObjects({10});
  PutBytes(*memory_, "0", "other text");
  auto fetcher = Start(memory_, large_);
  ASSERT_TRUE(deliveries_.WaitFor(1));
  const Result<Fetched> changed = deliveries_.Take(0);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().code(), ErrorCode::kObjectChanged);
  EXPECT_THAT(changed.error().what(),
              AllOf(HasSubstr("mem://data/0"), HasSubstr("pin=\"size\""), HasSubstr("lists other ETags")));
}

TEST_F(FetcherTest, ARefusalIsReportedInTheStoresOwnWords) {
  PutObjects({10});
  const Error refused(ErrorCode::kUnsupported, "the object is archived; restore it first");
  auto store = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::FailBefore(refused)));
  auto fetcher = Start(store, large_);
  ASSERT_TRUE(deliveries_.WaitFor(1));
  EXPECT_EQ(deliveries_.Take(0).error().message(), "the object is archived; restore it first");
}

TEST_F(FetcherTest, APartThatCanNeverFitIsAnError) {
  PutObjects({100, 10});
  MemoryBudget& small = Budget(50);
  auto fetcher = Start(memory_, small);
  ASSERT_TRUE(deliveries_.WaitFor(2));
  EXPECT_EQ(deliveries_.Take(0).error().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(deliveries_.Take(1));
}

// Reads into the second sink, where one is given.
class SecondStore : public RecordingStore {
 public:
  using RecordingStore::RecordingStore;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    std::shared_ptr<GetSink> second = sink->Second();
    if (second == nullptr) return RecordingStore::Get(std::move(request), std::move(sink), std::move(done));
    ++given;
    RecordingStore::Get(std::move(request), second, [sink, second, done](Result<ObjectInfo> result) {
      if (result) sink->TakeFrom(*second);
      done(std::move(result));
    });
  }
  std::atomic<int> given = 0;
};

TEST_F(FetcherTest, ASecondReadHasMemoryAndAReservationOfItsOwn) {
  PutObjects({100});
  MemoryBudget& budget = Budget(200);
  MemoryBudget& common = Budget(200);
  auto store = std::make_shared<SecondStore>(memory_);
  auto fetcher = Start(store, budget, PinMode::kEtag, &common);
  ASSERT_TRUE(deliveries_.WaitFor(1));
  EXPECT_EQ(store->given, 1);
  EXPECT_EQ(budget.peak(), 200u);
  EXPECT_EQ(common.peak(), 200u);
  const Result<Fetched> result = deliveries_.Take(0);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->bytes.ToString(), Bytes::FromVector(testing::RampBytes(100, 0)).ToString());
  fetcher.reset();
  store.reset();
  memory_.reset();  // nothing runs any more
  EXPECT_EQ(budget.used(), 100u);
  EXPECT_EQ(common.used(), 100u);
}

TEST_F(FetcherTest, WithoutRoomInBothBudgetsThereIsNoSecondRead) {
  PutObjects({100});
  for (const auto& [own, common] : {std::pair{150, 1000}, {1000, 150}}) {
    next_ = 0;
    auto store = std::make_shared<SecondStore>(memory_);
    MemoryBudget& budget = Budget(own);
    auto fetcher = Start(store, budget, PinMode::kEtag, &Budget(common));
    fetcher->Stop();
    EXPECT_EQ(store->given, 0);
    EXPECT_LE(budget.used(), 100u);
  }
}

}  // namespace
}  // namespace bucketline
