#include "bucketline/loader/batch_pool.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

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
  auto a = pool.Take(100);
  auto b = pool.Take(100);
  pool.Lend(*a);
  auto c = pool.Take(100);
  a.reset();  // 200 are in the making: no room for it
  EXPECT_EQ(pool.idle_bytes(), 0u);
  b.reset();
  EXPECT_EQ(pool.idle_bytes(), 100u);
  auto other = pool.Take(120);  // of another size: the idle one must go
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, LentBytesLastUntilTheLastReference) {
  BatchPool pool(1000, nullptr);
  auto block = pool.Take(100);
  EXPECT_EQ(pool.lent_bytes(), 0u);
  pool.Lend(*block);
  EXPECT_EQ(pool.lent_bytes(), 100u);
  const std::shared_ptr<void> view(block, block->data());
  block.reset();
  EXPECT_EQ(pool.lent_bytes(), 100u);
}

TEST(BatchPool, ViewsKeepTheCount) {
  BatchPool pool(1000, nullptr);
  auto block = pool.Take(100);
  pool.Lend(*block);
  std::shared_ptr<void> view(block, block->data());
  block.reset();
  view.reset();
  EXPECT_EQ(pool.lent_bytes(), 0u);
  EXPECT_EQ(pool.idle_bytes(), 100u);
}

TEST(BatchPool, BlocksOutliveThePool) {
  std::optional<BatchPool> pool(std::in_place, 1000, nullptr);
  auto block = pool->Take(100);
  pool->Lend(*block);
  pool.reset();
  static_cast<uint8_t*>(block->data())[99] = 1;
  block.reset();
}

TEST(BatchPool, AfterDrainNothingIsKept) {
  BatchPool pool(1000, nullptr);
  auto block = pool.Take(100);
  pool.Take(50).reset();
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
  pool.Take(100).reset();
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BatchPool, TheAllocatorIsChecked) {
  alignas(64) static uint8_t memory[128];
  BatchPool nothing(1000, [](size_t) { return nullptr; });
  EXPECT_THROW(nothing.Take(100), Error);
  BatchPool crooked(1000, [](size_t) { return std::shared_ptr<void>(memory + 8, [](void*) {}); });
  try {
    crooked.Take(100);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("aligned to 64"), std::string::npos);
  }
}

}  // namespace
}  // namespace bucketline
