#include "bucketline/loader/batch_pool.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// A block with its memory.
std::shared_ptr<BatchPool::Block> TakeMade(BatchPool& pool, size_t bytes) {
  auto block = pool.Take(bytes);
  block->data();
  return block;
}

TEST(BatchPool, MemoryComesWithTheFirstUse) {
  int made = 0;
  BatchPool pool(1000, [&](size_t) {
    alignas(64) static uint8_t memory[128];
    ++made;
    return std::shared_ptr<void>(memory, [](void*) {});
  });
  auto unused = pool.Take(100);
  auto block = pool.Take(100);
  EXPECT_EQ(made, 0);
  void* memory = block->data();
  EXPECT_EQ(block->data(), memory);
  EXPECT_EQ(made, 1);
  unused.reset();
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, BlocksTakenAheadLeaveTheIdleOnesWhereTheyAre) {
  BatchPool pool(300, nullptr);
  void* const memory = TakeMade(pool, 100)->data();
  const auto ahead = pool.Take(100), further = pool.Take(100);
  EXPECT_EQ(pool.idle_bytes(), 100u);
  EXPECT_EQ(further->data(), memory);  // whoever needs it first
}

TEST(BatchPool, TheBlockUsedLastComesFirst) {
  BatchPool pool(1000, nullptr);
  auto first = TakeMade(pool, 100), second = TakeMade(pool, 100);
  void* const last_used = first->data();
  second.reset();
  first.reset();
  EXPECT_EQ(TakeMade(pool, 100)->data(), last_used);
}

TEST(BatchPool, LargeBlocksAreWholeAndAligned) {
  constexpr size_t kBytes = (size_t{5} << 20) + 123;
  BatchPool pool(2 * kBytes, nullptr);
  auto block = TakeMade(pool, kBytes);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % kBatchAlignment, 0u);
  std::memset(block->data(), 7, kBytes);
  void* const memory = block->data();
  block.reset();
  EXPECT_EQ(pool.idle_bytes(), kBytes);
  EXPECT_EQ(TakeMade(pool, kBytes)->data(), memory);
}

TEST(BatchPool, ThreadsThatAskAtOnceGetTheSameMemory) {
  BatchPool pool(1000, nullptr);
  for (int round = 0; round < 100; ++round) {
    const auto block = pool.Take(64);
    void* seen[2] = {};
    std::thread other([&] { seen[0] = block->data(); });
    seen[1] = block->data();
    other.join();
    ASSERT_EQ(seen[0], seen[1]);
  }
}

TEST(BatchPool, BlocksAreAlignedAndRecycled) {
  BatchPool pool(1000, nullptr);
  auto block = pool.Take(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % kBatchAlignment, 0u);
  EXPECT_EQ(block->bytes(), 100u);
  void* memory = block->data();
  block.reset();
  EXPECT_EQ(pool.idle_bytes(), 100u);
  block = pool.Take(100);
  EXPECT_EQ(block->data(), memory);
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, IdleBlocksAndThoseInTheMakingStayWithinTheShare) {
  BatchPool pool(250, nullptr);
  auto a = TakeMade(pool, 100);
  auto b = TakeMade(pool, 100);
  pool.Lend(*a);
  auto c = TakeMade(pool, 100);
  a.reset();  // 200 are in the making: no room for it
  EXPECT_EQ(pool.idle_bytes(), 0u);
  b.reset();
  EXPECT_EQ(pool.idle_bytes(), 100u);
  auto other = TakeMade(pool, 120);  // of another size: the idle one must go
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, LentBytesLastUntilTheLastReference) {
  BatchPool pool(1000, nullptr);
  auto block = TakeMade(pool, 100);
  EXPECT_EQ(pool.lent_bytes(), 0u);
  pool.Lend(*block);
  EXPECT_EQ(pool.lent_bytes(), 100u);
  const std::shared_ptr<void> view(block, block->data());
  block.reset();
  EXPECT_EQ(pool.lent_bytes(), 100u);
}

TEST(BatchPool, ViewsKeepTheCount) {
  BatchPool pool(1000, nullptr);
  auto block = TakeMade(pool, 100);
  pool.Lend(*block);
  std::shared_ptr<void> view(block, block->data());
  block.reset();
  view.reset();
  EXPECT_EQ(pool.lent_bytes(), 0u);
  EXPECT_EQ(pool.idle_bytes(), 100u);
}

TEST(BatchPool, BlocksOutliveThePool) {
  std::optional<BatchPool> pool(std::in_place, 1000, nullptr);
  auto block = TakeMade(*pool, 100);
  pool->Lend(*block);
  pool.reset();
  static_cast<uint8_t*>(block->data())[99] = 1;
  block.reset();
}

TEST(BatchPool, AfterDrainNothingIsKept) {
  BatchPool pool(1000, nullptr);
  auto block = TakeMade(pool, 100);
  TakeMade(pool, 50).reset();
  EXPECT_EQ(pool.idle_bytes(), 50u);
  pool.Drain();
  EXPECT_EQ(pool.idle_bytes(), 0u);
  block.reset();
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, SomeBlocksOnlyCount) {
  BatchPool pool(1000, nullptr);
  auto block = pool.Account(300);
  EXPECT_EQ(block->data(), nullptr);
  pool.Lend(*block);
  EXPECT_EQ(pool.lent_bytes(), 300u);
  block.reset();
  EXPECT_EQ(pool.lent_bytes(), 0u);
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, TheAllocatorsMemoryIsFreedByItsDeleter) {
  int freed = 0;
  BatchPool pool(1000, [&](size_t bytes) {
    return std::shared_ptr<void>(std::aligned_alloc(64, (bytes + 63) / 64 * 64), [&](void* data) {
      ++freed;
      std::free(data);
    });
  });
  TakeMade(pool, 100).reset();
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, TheAllocatorIsChecked) {
  alignas(64) static uint8_t memory[128];
  BatchPool nothing(1000, [](size_t) { return nullptr; });
  const auto block = nothing.Take(100);
  EXPECT_THROW(block->data(), Error);
  EXPECT_THROW(block->data(), Error);  // and again
  BatchPool crooked(1000, [](size_t) { return std::shared_ptr<void>(memory + 8, [](void*) {}); });
  try {
    crooked.Take(100)->data();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("aligned to 64"), std::string::npos);
  }
}

}  // namespace
}  // namespace bucketline
