#include "bucketline/exec/bounded_queue.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

constexpr auto kDeadline = 120s;
constexpr auto kGlimpse = 20ms;  // how long to look at something that should stay as it is

TEST(BoundedQueue, FirstInFirstOut) {
  BoundedQueue<int> queue(3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.Push(int{i}));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.Pop(), 0);
  EXPECT_EQ(queue.TryPop(), 1);
  EXPECT_EQ(queue.Pop(), 2);
  EXPECT_EQ(queue.TryPop(), std::nullopt);
  EXPECT_EQ(queue.size(), 0u);
}

TEST(BoundedQueue, AFullQueueHoldsThePusherUntilSomethingIsTaken) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(1));
  auto pushed = std::async(std::launch::async, [&] { return queue.Push(2); });
  EXPECT_EQ(pushed.wait_for(kGlimpse), std::future_status::timeout);
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue.Pop(), 1);
  ASSERT_EQ(pushed.wait_for(kDeadline), std::future_status::ready);
  EXPECT_TRUE(pushed.get());
  EXPECT_EQ(queue.Pop(), 2);
}

TEST(BoundedQueue, AnEmptyQueueHoldsThePopper) {
  BoundedQueue<int> queue(1);
  auto popped = std::async(std::launch::async, [&] { return queue.Pop(); });
  EXPECT_EQ(popped.wait_for(kGlimpse), std::future_status::timeout);
  ASSERT_TRUE(queue.Push(7));
  ASSERT_EQ(popped.wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(popped.get(), 7);
}

TEST(BoundedQueue, CloseRefusesPushesAndDrainsWhatIsLeft) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  ASSERT_TRUE(queue.Push(std::make_unique<int>(1)));
  queue.Close();
  queue.Close();
  auto refused = std::make_unique<int>(2);
  EXPECT_FALSE(queue.Push(std::move(refused)));
  ASSERT_NE(refused, nullptr) << "a refused value stays with the caller";
  EXPECT_EQ(**queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
  EXPECT_EQ(queue.TryPop(), std::nullopt);
}

TEST(BoundedQueue, CloseWakesEveryPusher) {
  BoundedQueue<int> queue(1);
  ASSERT_TRUE(queue.Push(0));
  std::vector<std::future<bool>> pushers;
  for (int i = 0; i < 3; ++i) {
    pushers.push_back(std::async(std::launch::async, [&] { return queue.Push(1); }));
  }
  EXPECT_EQ(pushers.back().wait_for(kGlimpse), std::future_status::timeout);
  queue.Close();
  for (auto& pusher : pushers) {
    ASSERT_EQ(pusher.wait_for(kDeadline), std::future_status::ready);
    EXPECT_FALSE(pusher.get());
  }
}

TEST(BoundedQueue, CloseWakesEveryPopper) {
  BoundedQueue<int> queue(1);
  std::vector<std::future<std::optional<int>>> poppers;
  for (int i = 0; i < 3; ++i) poppers.push_back(std::async(std::launch::async, [&] { return queue.Pop(); }));
  EXPECT_EQ(poppers.back().wait_for(kGlimpse), std::future_status::timeout);
  queue.Close();
  for (auto& popper : poppers) {
    ASSERT_EQ(popper.wait_for(kDeadline), std::future_status::ready);
    EXPECT_EQ(popper.get(), std::nullopt);
  }
}

TEST(BoundedQueue, WhatNobodyTookGoesWithTheQueue) {
  auto value = std::make_shared<int>(1);
  {
    BoundedQueue<std::shared_ptr<int>> queue(1);
    ASSERT_TRUE(queue.Push(std::shared_ptr<int>(value)));
    EXPECT_EQ(value.use_count(), 2);
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(BoundedQueue, CapacityZeroCountsAsOne) {
  BoundedQueue<int> queue(0);
  auto pushed = std::async(std::launch::async, [&] { return queue.Push(1); });
  EXPECT_EQ(pushed.wait_for(kDeadline), std::future_status::ready);
  queue.Close();  // so that a failure ends the test
}

TEST(BoundedQueue, ManyThreadsLoseAndRepeatNothingAndStayInBounds) {
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  constexpr size_t kCapacity = 5;
  BoundedQueue<int> queue(kCapacity);
  std::vector<std::atomic<int>> seen(kThreads * kEach);
  std::atomic<int> popped{0};
  std::atomic<bool> in_bounds{true};
  std::vector<std::jthread> poppers;
  {
    std::vector<std::jthread> pushers;
    for (int thread = 0; thread < kThreads; ++thread) {
      pushers.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          if (!queue.Push(thread * kEach + i)) in_bounds = false;
        }
      });
      poppers.emplace_back([&] {
        while (auto value = queue.Pop()) {
          ++seen[static_cast<size_t>(*value)];
          ++popped;
          if (queue.size() > kCapacity) in_bounds = false;
        }
      });
    }
  }
  queue.Close();
  poppers.clear();
  EXPECT_TRUE(in_bounds);
  EXPECT_EQ(popped, kThreads * kEach);
  for (const auto& count : seen) ASSERT_EQ(count, 1);
}

}  // namespace
}  // namespace bucketline
