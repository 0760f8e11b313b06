#include "bucketline/exec/buffer_pool.h"

#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/exec/huge_memory.h"

namespace bucketline {
namespace {

constexpr size_t kSize = BufferPool::kSmallest * BufferPool::kWaste;

TEST(BufferPoolTest, WhatWasUsedLastIsUsedAgain) {
  const auto pool = std::make_shared<BufferPool>(4 * kSize);
  std::shared_ptr<uint8_t[]> first = pool->Take(kSize), second = pool->Take(kSize);
  const uint8_t* const memory = second.get();
  first.reset();
  second.reset();
  EXPECT_EQ(pool->idle_bytes(), 2 * kSize);
  EXPECT_EQ(pool->Take(kSize).get(), memory);
}

TEST(BufferPoolTest, ABufferIsLargeEnoughAndNotMuchLarger) {
  const auto pool = std::make_shared<BufferPool>(4 * kSize);
  const uint8_t* const memory = pool->Take(kSize).get();
  const auto larger = pool->Take(kSize + 1);
  const auto much_smaller = pool->Take(kSize / 2);
  EXPECT_EQ(pool->idle_bytes(), kSize) << "neither of them could use it";
  const auto smaller = pool->Take(kSize - kSize / BufferPool::kWaste + BufferPool::kSmallest / 8);
  EXPECT_EQ(smaller.get(), memory);
  EXPECT_EQ(pool->idle_bytes(), 0u);
}

TEST(BufferPoolTest, NoMoreThanTheLimitLiesIdleAndTheOldestGoesFirst) {
  const auto pool = std::make_shared<BufferPool>(2 * kSize);
  std::vector<std::shared_ptr<uint8_t[]>> taken;
  for (size_t i = 0; i < 3; ++i) taken.push_back(pool->Take(kSize));
  const uint8_t* const last = taken[2].get();
  for (auto& buffer : taken) buffer.reset();
  EXPECT_EQ(pool->idle_bytes(), 2 * kSize);
  EXPECT_EQ(pool->Take(kSize).get(), last);
  pool->Take(3 * kSize).reset();
  EXPECT_EQ(pool->idle_bytes(), 2 * kSize) << "what can never be kept drives out nobody";
}

TEST(BufferPoolTest, LargeBuffersAreInHugePagesAndGoRoundToo) {
  const auto pool = std::make_shared<BufferPool>(4 * kHugePage);
  const uint8_t* memory = nullptr;
  {
    const auto buffer = pool->Take(kHugePage + 1);
    memory = buffer.get();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % kHugePage, 0u);
    buffer[0] = buffer[kHugePage] = 1;
  }
  EXPECT_EQ(pool->Take(kHugePage).get(), memory);
}

TEST(BufferPoolTest, WhatTheSystemDoesNotHaveIsAnError) {
  const auto pool = std::make_shared<BufferPool>(kSize);
  EXPECT_THROW(pool->Take(size_t{1} << 60), std::bad_alloc);
  EXPECT_EQ(pool->idle_bytes(), 0u);
}

TEST(BufferPoolTest, SmallBuffersAreNotKept) {
  const auto pool = std::make_shared<BufferPool>(kSize);
  pool->Take(BufferPool::kSmallest - 1).reset();
  EXPECT_NE(pool->Take(0), nullptr);
  EXPECT_EQ(pool->idle_bytes(), 0u);
}

TEST(BufferPoolTest, ABufferMayOutliveThePoolsOwner) {
  auto pool = std::make_shared<BufferPool>(kSize);
  const std::shared_ptr<uint8_t[]> buffer = pool->Take(kSize);
  pool.reset();
  buffer[kSize - 1] = 1;
}

TEST(BufferPoolTest, ThreadsNeverShareABuffer) {
  const auto pool = std::make_shared<BufferPool>(8 * kSize);
  std::vector<std::thread> threads;
  for (uint8_t mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&, mark] {
      for (int i = 0; i < 500; ++i) {
        const auto buffer = pool->Take(kSize);
        buffer[0] = buffer[kSize - 1] = mark;
        EXPECT_EQ(buffer[0], mark);
        EXPECT_EQ(buffer[kSize - 1], mark);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace bucketline
