// Which reads a Fetcher has under way, in which order, and how it stops.
#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/fetcher_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using testing::Deliveries;
using testing::FetcherTest;
using testing::kFetchDeadline;

TEST_F(FetcherTest, KeepsToTheNumberOfRequests) {
  PutObjects(std::vector<size_t>(30, 10));
  // Nothing is answered before four are under way: with fewer the test would end at the deadline.
  auto hanging = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::Hang()));
  auto recording = std::make_shared<RecordingStore>(hanging);
  auto fetcher = Start(recording, large_);
  EXPECT_TRUE(recording->WaitForInFlight(4, kFetchDeadline));
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
    return changed_.wait_for(lock, kFetchDeadline, [&] { return held_.size() >= count; });
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
  const auto deadline = std::chrono::steady_clock::now() + kFetchDeadline;
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

TEST_F(FetcherTest, StopDeliversEveryItemOnce) {
  PutObjects(std::vector<size_t>(30, 10));
  auto hanging = std::make_shared<FaultStore>(memory_, Always(StoreOp::kGet, Fault::Hang()));
  auto recording = std::make_shared<RecordingStore>(hanging);
  auto fetcher = Start(recording, large_);
  ASSERT_TRUE(recording->WaitForInFlight(4, kFetchDeadline));
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

}  // namespace
}  // namespace bucketline
