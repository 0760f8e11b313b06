#include "bucketline/exec/memory_budget.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

using std::chrono_literals::operator""s;
using testing::HasSubstr;

constexpr auto kDeadline = 120s;

// True once `condition()` holds, false when it does not within the deadline.
template <typename F>
bool Eventually(F condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// One Acquire on a thread of its own. Asks it to stop at the end, so that a failed test ends too.
class Call {
 public:
  Call(MemoryBudget& budget, uint64_t bytes)
      : done_(std::async(std::launch::async, [&budget, bytes, stop = stop_.get_token()] {
          return budget.Acquire(bytes, stop);
        })) {}
  Call(Call&&) = default;
  ~Call() { Stop(); }

  void Stop() { stop_.request_stop(); }
  bool Ready() { return done_.wait_for(0s) == std::future_status::ready; }
  std::optional<Reservation> Get() {
    if (done_.wait_for(kDeadline) != std::future_status::ready) {
      ADD_FAILURE() << "still waiting";
      return std::nullopt;
    }
    return done_.get();
  }

 private:
  std::stop_source stop_;
  std::future<std::optional<Reservation>> done_;
};

// Starts a call that has to wait, and returns once it does.
Call Waiting(MemoryBudget& budget, uint64_t bytes) {
  const size_t before = budget.waiting();
  Call call(budget, bytes);
  EXPECT_TRUE(Eventually([&] { return budget.waiting() == before + 1; }));
  return call;
}

TEST(MemoryBudget, CountsWhatIsHeldAndRemembersThePeak) {
  MemoryBudget budget(100);
  EXPECT_EQ(budget.capacity(), 100u);
  {
    const auto first = budget.Acquire(60);
    const auto second = budget.Acquire(40);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->bytes(), 60u);
    EXPECT_EQ(budget.used(), 100u);
  }
  const auto third = budget.Acquire(10);
  EXPECT_EQ(budget.used(), 10u);
  EXPECT_EQ(budget.peak(), 100u);
}

TEST(MemoryBudget, WhatCanNeverFitIsAnErrorAtOnceThatNamesBothSizes) {
  MemoryBudget budget(64 << 20);
  const auto everything = budget.Acquire(64 << 20);
  try {
    budget.Acquire((64 << 20) + 1);
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_THAT(error.what(), HasSubstr("67108865 bytes"));
    EXPECT_THAT(error.what(), HasSubstr("64.0 MiB"));
  }
  EXPECT_EQ(budget.waiting(), 0u);
}

TEST(MemoryBudget, SizesNearTheTopOfTheRangeDoNotWrapAround) {
  MemoryBudget budget(UINT64_MAX);
  const auto most = budget.Acquire(UINT64_MAX - 1);
  EXPECT_FALSE(budget.TryAcquire(2));
  EXPECT_TRUE(budget.TryAcquire(1));
}

TEST(MemoryBudget, AWaiterGetsItsShareWhenThereIsRoom) {
  MemoryBudget budget(10);
  auto held = budget.Acquire(8);
  Call call = Waiting(budget, 5);
  EXPECT_FALSE(call.Ready());
  held->ShrinkTo(6);
  EXPECT_FALSE(call.Ready());
  EXPECT_EQ(budget.waiting(), 1u);
  held->ShrinkTo(5);
  const auto share = call.Get();
  ASSERT_TRUE(share);
  EXPECT_EQ(share->bytes(), 5u);
  EXPECT_EQ(budget.used(), 10u);
}

TEST(MemoryBudget, ASmallRequestDoesNotOvertakeALargeOne) {
  MemoryBudget budget(10);
  auto held = budget.Acquire(5);
  Call large = Waiting(budget, 10);
  Call small = Waiting(budget, 1);
  EXPECT_FALSE(budget.TryAcquire(1)) << "there is room, but somebody waits";
  EXPECT_FALSE(budget.TryAcquire(0));
  EXPECT_FALSE(small.Ready());
  held->Release();
  auto all = large.Get();
  ASSERT_TRUE(all);
  EXPECT_EQ(budget.waiting(), 1u) << "the small one came second";
  all->Release();
  EXPECT_TRUE(small.Get());
}

TEST(MemoryBudget, OneReturnServesAllWhoFit) {
  MemoryBudget budget(10);
  auto held = budget.Acquire(10);
  Call first = Waiting(budget, 4);
  Call second = Waiting(budget, 6);
  Call third = Waiting(budget, 1);
  held->Release();
  const auto a = first.Get();
  const auto b = second.Get();
  EXPECT_EQ(budget.waiting(), 1u);
  EXPECT_EQ(budget.used(), 10u);
}

TEST(MemoryBudget, TryAcquireTakesOnlyWhatIsThere) {
  MemoryBudget budget(10);
  auto six = budget.TryAcquire(6);
  ASSERT_TRUE(six);
  EXPECT_FALSE(budget.TryAcquire(5));
  EXPECT_FALSE(budget.TryAcquire(11)) << "too large is no error here";
  EXPECT_TRUE(budget.TryAcquire(4));
  EXPECT_EQ(budget.used(), 6u);
}

TEST(MemoryBudget, StopWakesAWaiter) {
  MemoryBudget budget(1);
  const auto held = budget.Acquire(1);
  Call call = Waiting(budget, 1);
  call.Stop();
  EXPECT_FALSE(call.Get());
  EXPECT_EQ(budget.waiting(), 0u);
  EXPECT_EQ(budget.used(), 1u);
}

TEST(MemoryBudget, AStoppedCallTakesNothingEvenIfThereIsRoom) {
  MemoryBudget budget(1);
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(budget.Acquire(1, source.get_token()));
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudget, AStoppedWaiterInFrontLetsTheNextOnesGo) {
  MemoryBudget budget(10);
  const auto held = budget.Acquire(5);
  Call front = Waiting(budget, 10);
  Call second = Waiting(budget, 2);
  Call third = Waiting(budget, 3);
  front.Stop();
  EXPECT_FALSE(front.Get());
  const auto two = second.Get();
  const auto three = third.Get();
  EXPECT_TRUE(two && three);
  EXPECT_EQ(budget.used(), 10u);
}

TEST(MemoryBudget, AStoppedWaiterInTheMiddleChangesNothingForTheOthers) {
  MemoryBudget budget(10);
  auto held = budget.Acquire(5);
  Call front = Waiting(budget, 10);
  Call middle = Waiting(budget, 1);
  Call last = Waiting(budget, 1);
  middle.Stop();
  EXPECT_FALSE(middle.Get());
  EXPECT_EQ(budget.waiting(), 2u);
  held->Release();
  front.Get()->Release();
  EXPECT_TRUE(last.Get());
}

TEST(Reservation, ReleaseAndShrinkReturnBytesOnce) {
  MemoryBudget budget(10);
  auto share = budget.Acquire(10);
  share->ShrinkTo(20);
  EXPECT_EQ(share->bytes(), 10u) << "shrinking never grows";
  share->ShrinkTo(4);
  EXPECT_EQ(share->bytes(), 4u);
  EXPECT_EQ(budget.used(), 4u);
  share->Release();
  share->Release();
  EXPECT_EQ(share->bytes(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Reservation, MovesCarryTheBytesAndLeaveNothing) {
  MemoryBudget budget(10);
  auto first = budget.Acquire(3);
  Reservation moved(std::move(*first));
  EXPECT_EQ(first->bytes(), 0u);
  EXPECT_EQ(moved.bytes(), 3u);
  auto second = budget.Acquire(4);
  moved = std::move(*second);
  EXPECT_EQ(moved.bytes(), 4u);
  EXPECT_EQ(budget.used(), 4u) << "what it held before went back";
  Reservation& alias = moved;
  moved = std::move(alias);
  EXPECT_EQ(moved.bytes(), 4u) << "moving to itself keeps it";
  first.reset();
  second.reset();
  EXPECT_EQ(budget.used(), 4u);
}

TEST(Reservation, MergeAddsUp) {
  MemoryBudget budget(10);
  auto first = budget.Acquire(3);
  first->Merge(*budget.Acquire(4));
  first->Merge(Reservation());
  EXPECT_EQ(first->bytes(), 7u);
  EXPECT_EQ(budget.used(), 7u);
  Reservation empty;
  empty.Merge(std::move(*first));
  EXPECT_EQ(empty.bytes(), 7u);
  EXPECT_EQ(budget.used(), 7u);
  empty.Release();
  EXPECT_EQ(budget.used(), 0u);
}

TEST(Reservation, SharesOfDifferentBudgetsDoNotMerge) {
  MemoryBudget one(10);
  MemoryBudget other(10);
  auto share = one.Acquire(3);
  EXPECT_THROW(share->Merge(*other.Acquire(4)), Error);
  EXPECT_EQ(share->bytes(), 3u);
  EXPECT_EQ(one.used(), 3u);
  EXPECT_EQ(other.used(), 0u);
}

TEST(Reservation, AnEmptyOneDoesNothing) {
  Reservation empty;
  empty.ShrinkTo(0);
  empty.Release();
  EXPECT_EQ(empty.bytes(), 0u);
}

// What the budget should do, in one thread.
class Model {
 public:
  explicit Model(uint64_t capacity) : capacity_(capacity) {}

  void Acquire(size_t call, uint64_t bytes) {
    waiting_.push_back({call, bytes});
    Grant();
  }
  void Return(uint64_t bytes) {
    used_ -= bytes;
    Grant();
  }
  void Stop(size_t call) {
    std::erase_if(waiting_, [&](const Waiter& waiter) { return waiter.call == call; });
    Grant();
  }
  std::vector<size_t> TakeGranted() { return std::exchange(granted_, {}); }
  uint64_t used() const { return used_; }
  size_t waiting() const { return waiting_.size(); }
  size_t WaiterAt(size_t place) const { return waiting_[place].call; }

 private:
  struct Waiter {
    size_t call;
    uint64_t bytes;
  };
  void Grant() {
    while (!waiting_.empty() && used_ + waiting_.front().bytes <= capacity_) {
      used_ += waiting_.front().bytes;
      granted_.push_back(waiting_.front().call);
      waiting_.erase(waiting_.begin());
    }
  }

  uint64_t capacity_;
  uint64_t used_ = 0;
  std::vector<Waiter> waiting_;
  std::vector<size_t> granted_;
};

// Random steps, each on a thread of its own; after each one exactly those are served whom the model serves.
TEST(MemoryBudget, AgreesWithAModelStepByStep) {
  constexpr uint64_t kCapacity = 100;
  CounterRng rng(1, 2, 3);
  MemoryBudget budget(kCapacity);
  Model model(kCapacity);
  std::vector<Call> calls;
  std::vector<Reservation> held;
  for (int step = 0; step < 1500; ++step) {
    const uint64_t dice = rng.NextBelow(10);
    if (dice < 5 && model.waiting() < 12) {
      const uint64_t bytes = rng.NextBelow(10) == 0 ? kCapacity : rng.NextBelow(40);
      model.Acquire(calls.size(), bytes);
      calls.emplace_back(budget, bytes);
    } else if (dice < 6 && model.waiting() > 0) {
      const size_t call = model.WaiterAt(rng.NextBelow(model.waiting()));
      model.Stop(call);
      calls[call].Stop();
      ASSERT_FALSE(calls[call].Get());
    } else if (!held.empty()) {
      std::swap(held[rng.NextBelow(held.size())], held.back());
      const uint64_t before = held.back().bytes();
      const uint64_t rest = dice < 8 ? 0 : rng.NextBelow(before + 1);
      model.Return(before - rest);
      held.back().ShrinkTo(rest);
      if (rest == 0) held.pop_back();
    }
    for (const size_t call : model.TakeGranted()) {
      auto share = calls[call].Get();
      ASSERT_TRUE(share) << "step " << step;
      held.push_back(std::move(*share));
    }
    ASSERT_TRUE(Eventually([&] { return budget.waiting() == model.waiting(); })) << "step " << step;
    ASSERT_EQ(budget.used(), model.used()) << "step " << step;
  }
  EXPECT_LE(budget.peak(), kCapacity);
}

// Free-running threads: whatever the interleaving, never above capacity, everybody served, all returned.
TEST(MemoryBudget, ManyThreadsNeverExceedItAndAllAreServed) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 1000;
  constexpr uint64_t kCapacity = 64;
  MemoryBudget budget(kCapacity);
  std::atomic<uint64_t> in_use{0};
  std::atomic<int> served{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::future<void>> threads;
  for (uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.push_back(std::async(std::launch::async, [&, thread] {
      CounterRng rng(thread, 0, 0);
      for (int round = 0; round < kRounds; ++round) {
        const uint64_t bytes = 1 + rng.NextBelow(kCapacity);
        auto share = rng.NextBelow(4) == 0 ? budget.TryAcquire(bytes) : budget.Acquire(bytes);
        if (share) {
          if (in_use.fetch_add(bytes) + bytes > kCapacity) exceeded = true;
          const uint64_t rest = rng.NextBelow(bytes);
          in_use.fetch_sub(bytes - rest);
          share->ShrinkTo(rest);
          in_use.fetch_sub(rest);
        }
        ++served;
      }
    }));
  }
  for (auto& thread : threads) ASSERT_EQ(thread.wait_for(kDeadline), std::future_status::ready);
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(served, kThreads * kRounds);
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(budget.waiting(), 0u);
  EXPECT_LE(budget.peak(), kCapacity);
}

}  // namespace
}  // namespace bucketline
