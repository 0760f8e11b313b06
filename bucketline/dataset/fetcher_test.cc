#include "bucketline/dataset/fetcher.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDeadline{30};

// Collects what is delivered; a test waits for it with a deadline.
class Deliveries {
 public:
  Fetcher::Deliver Callback() {
    return [this](uint64_t tag, Result<Fetched> result) {
      std::lock_guard lock(mutex_);
      ++calls_[tag];
      results_.insert_or_assign(tag, std::move(result));
      changed_.notify_all();
    };
  }
  bool WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return results_.size() >= count; });
  }
  bool WaitForTag(uint64_t tag) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return results_.contains(tag); });
  }
  size_t count() {
    std::lock_guard lock(mutex_);
    return results_.size();
  }
  bool EachOnce() {
    std::lock_guard lock(mutex_);
    return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call.second == 1; });
  }
  Result<Fetched> Take(uint64_t tag) {
    std::lock_guard lock(mutex_);
    Result<Fetched> result = std::move(results_.at(tag));
    results_.insert_or_assign(tag, Error(ErrorCode::kInternal, "taken"));
    return result;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Result<Fetched>> results_;
  std::map<uint64_t, int> calls_;
};

class FetcherTest : public ::testing::Test {
 protected:
  // Objects "0", "1", ... of these sizes.
  void PutObjects(const std::vector<size_t>& sizes) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      const std::vector<uint8_t> bytes = testing::RampBytes(sizes[i], i);
      const ObjectInfo info = PutBytes(*memory_, std::to_string(i), bytes);
      parts_.push_back({.object_key = std::to_string(i),
                        .offset = 0,
                        .length = sizes[i],
                        .object_size = sizes[i],
                        .etag = info.etag});
    }
  }

  // Each part once, its number as tag; then the end.
  Fetcher::Next InOrder(std::shared_ptr<ObjectStore> store, PinMode pin) {
    return [this, store, pin](std::stop_token) -> std::optional<FetchItem> {
      const size_t i = next_++;
      if (i >= parts_.size()) return std::nullopt;
      return FetchItem{.tag = i, .place = {.store = store, .pin = pin, .part = parts_[i]}};
    };
  }

  std::unique_ptr<Fetcher> Start(std::shared_ptr<ObjectStore> store, MemoryBudget& budget,
                                 PinMode pin = PinMode::kEtag, MemoryBudget* common = nullptr) {
    return std::make_unique<Fetcher>(
        FetcherOptions{.budget = &budget, .common = common, .requests = &requests_},
        InOrder(std::move(store), pin), deliveries_.Callback());
  }

  // Lives longer than what was delivered.
  MemoryBudget& Budget(uint64_t capacity) { return budgets_.emplace_back(capacity); }

  std::list<MemoryBudget> budgets_;
  std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  std::vector<RecordPart> parts_;
  std::atomic<size_t> next_ = 0;
  MemoryBudget requests_{4};
  MemoryBudget large_{1 << 20};
  Deliveries deliveries_;
};

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
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
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

TEST_F(FetcherTest, KeepsToTheNumberOfRequests) {
  PutObjects(std::vector<size_t>(30, 10));
  // Nothing is answered before four are under way: with fewer the test would end at the deadline.
  auto hanging = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::Hang()));
  auto recording = std::make_shared<RecordingStore>(hanging);
  auto fetcher = Start(recording, large_);
  EXPECT_TRUE(recording->WaitForInFlight(4, kDeadline));
  fetcher->Stop();
  EXPECT_EQ(recording->max_in_flight(), 4u);
}

// Keeps every Get until the test ends it, on the test's own thread.
class HeldStore : public RecordingStore {
 public:
  using RecordingStore::RecordingStore;
  void Get(GetRequest request, std::shared_ptr<GetSink>,
           std::function<void(Result<ObjectInfo>)> done) override {
    std::lock_guard lock(mutex_);
    held_.emplace_back(request.key, std::move(done));
    changed_.notify_all();
  }
  bool WaitForHeld(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return held_.size() >= count; });
  }
  std::vector<std::string> held() {
    std::lock_guard lock(mutex_);
    std::vector<std::string> keys;
    for (const auto& [key, done] : held_) keys.push_back(key);
    return keys;
  }
  // False when nothing is held.
  bool EndFirst() {
    std::unique_lock lock(mutex_);
    if (held_.empty()) return false;
    const auto done = std::move(held_.front().second);
    held_.pop_front();
    lock.unlock();
    done(Error(ErrorCode::kUnavailable, "ended by the test"));
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<std::string, std::function<void(Result<ObjectInfo>)>>> held_;
};

template <typename Condition>
bool Soon(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  return condition();
}

TEST_F(FetcherTest, AsksInOrderAndWhoEndsAReadStartsTheNextOne) {
  PutObjects(std::vector<size_t>(12, 10));
  auto store = std::make_shared<HeldStore>(memory_);
  auto fetcher = Start(store, large_);
  ASSERT_TRUE(store->WaitForHeld(4));
  ASSERT_TRUE(Soon([&] { return large_.used() == 60; })) << "two more are ready";
  EXPECT_EQ(store->held(), (std::vector<std::string>{"0", "1", "2", "3"}));
  EXPECT_TRUE(store->EndFirst());
  EXPECT_EQ(store->held(), (std::vector<std::string>{"1", "2", "3", "4"})) << "at once, on the same thread";
  EXPECT_EQ(requests_.used(), 4u);
  while (deliveries_.count() < 12) ASSERT_TRUE(store->WaitForHeld(1) && store->EndFirst());
  EXPECT_TRUE(deliveries_.EachOnce());
  EXPECT_EQ(requests_.peak(), 4u);
}

TEST_F(FetcherTest, AnotherFetcherThatWaitsForARequestHasItsTurn) {
  PutObjects(std::vector<size_t>(12, 10));
  auto store = std::make_shared<HeldStore>(memory_);
  auto fetcher = Start(store, large_);
  ASSERT_TRUE(store->WaitForHeld(4));
  ASSERT_TRUE(Soon([&] { return large_.used() == 60; }));
  MemoryBudget& other_budget = Budget(10);
  Deliveries others;
  bool given = false;
  Fetcher other(
      {.budget = &other_budget, .requests = &requests_},
      [&](std::stop_token) -> std::optional<FetchItem> {
        if (std::exchange(given, true)) return std::nullopt;
        return FetchItem{.tag = 0, .place = {.store = store, .pin = PinMode::kEtag, .part = parts_[11]}};
      },
      others.Callback());
  ASSERT_TRUE(Soon([&] { return requests_.waiting() == 1; }));
  EXPECT_TRUE(store->EndFirst());
  ASSERT_TRUE(store->WaitForHeld(4));
  EXPECT_EQ(store->held(), (std::vector<std::string>{"1", "2", "3", "11"}));
  while (deliveries_.count() < 12) ASSERT_TRUE(store->WaitForHeld(1) && store->EndFirst());
  EXPECT_TRUE(others.WaitFor(1));
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
  ASSERT_TRUE(free.wait_for(lock, kDeadline, [&] { return delivered == 8; }));
  EXPECT_LE(memories.size(), 2u);
}

TEST_F(FetcherTest, StopDeliversEveryItemOnce) {
  PutObjects(std::vector<size_t>(30, 10));
  auto hanging = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::Hang()));
  auto recording = std::make_shared<RecordingStore>(hanging);
  auto fetcher = Start(recording, large_);
  ASSERT_TRUE(recording->WaitForInFlight(4, kDeadline));
  fetcher->Stop();
  EXPECT_EQ(deliveries_.count(), next_.load());
  EXPECT_TRUE(deliveries_.EachOnce());
  for (size_t i = 0; i < deliveries_.count(); ++i) {
    EXPECT_EQ(deliveries_.Take(i).error().code(), ErrorCode::kCancelled);
  }
  EXPECT_EQ(large_.used(), 0u);
  EXPECT_EQ(requests_.used(), 0u);
  fetcher->Stop();  // again: nothing
}

TEST_F(FetcherTest, StopWakesWhoeverWaitsForRoom) {
  PutObjects({100, 100});
  MemoryBudget& budget = Budget(100);
  auto fetcher = Start(memory_, budget);
  ASSERT_TRUE(deliveries_.WaitFor(1));
  fetcher->Stop();
  EXPECT_EQ(deliveries_.count(), next_.load());
  EXPECT_TRUE(deliveries_.Take(0));  // what had come stays valid
}

TEST_F(FetcherTest, StopWakesNext) {
  std::mutex mutex;
  std::condition_variable_any never;
  Fetcher fetcher(
      {.budget = &large_, .common = nullptr, .requests = &requests_},
      [&](std::stop_token stop) -> std::optional<FetchItem> {
        std::unique_lock lock(mutex);
        never.wait(lock, stop, [] { return false; });
        return std::nullopt;
      },
      deliveries_.Callback());
  fetcher.Stop();
  EXPECT_EQ(deliveries_.count(), 0u);
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

TEST_F(FetcherTest, AStoreThatRefusesThePinNamesTheRemedyToo) {
  PutObjects({10});
  const Error refused(ErrorCode::kUnsupported, "If-Match is not implemented");
  auto store = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::FailBefore(refused)));
  auto fetcher = Start(store, large_);
  ASSERT_TRUE(deliveries_.WaitFor(1));
  EXPECT_THAT(deliveries_.Take(0).error().what(), AllOf(HasSubstr("If-Match"), HasSubstr("pin=\"size\"")));
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
