#include "bucketline/loader/memory_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

using Rows = MemoryNeeds::Rows;
using ::testing::AllOf;
using ::testing::HasSubstr;

MemoryNeeds Fixed(uint64_t batch, uint64_t record) {
  return {.rows = Rows::kFixed,
          .batch_bytes = batch,
          .largest_record = record,
          .largest_uri = "mem://data/large"};
}

TEST(MemoryLayout, SharesNeverAddUpToMoreAndAlwaysHoldTheMinimum) {
  CounterRng rng(1, 1, 1);
  for (int i = 0; i < 20000; ++i) {
    MemoryNeeds needs = Fixed(1 + rng.NextBelow(5000), rng.NextBelow(9000));
    const bool sized = rng.NextBelow(2) == 0;
    if (sized) needs.rows = Rows::kSized;
    needs.own_replacements = rng.NextBelow(2) == 0;
    if (rng.NextBelow(2) == 0) needs.usual_records = 1 + rng.NextBelow(20000);
    const uint64_t memory = MinimumMemory(needs) + rng.NextBelow(i % 2 == 0 ? 10 : 100000);
    const MemoryLayout layout = LayOutMemory(needs, memory);
    ASSERT_LE(layout.batches + layout.fetch + layout.replacement + layout.scratch + layout.kept, memory);
    ASSERT_GE(layout.fetch, needs.largest_record);
    ASSERT_LE(layout.kept, memory / 8);
    ASSERT_GE(layout.replacement, needs.own_replacements ? needs.largest_record : 0);
    ASSERT_TRUE(needs.own_replacements || layout.replacement == 0);
    if (sized) {
      ASSERT_GE(layout.batches, memory / 4);
    } else {
      ASSERT_GE(layout.batches, needs.batch_bytes);
      ASSERT_EQ(layout.batches % needs.batch_bytes, 0u);
      ASSERT_GT(layout.scratch, 0u);
    }
  }
}

TEST(MemoryLayout, MoreMemoryNeverGivesLessScratch) {
  for (const uint64_t record : {10, 1000, 50000}) {
    const MemoryNeeds needs = Fixed(1000, record);
    uint64_t before = 0;
    for (uint64_t memory = MinimumMemory(needs); memory < 200000; memory += 37) {
      const uint64_t scratch = LayOutMemory(needs, memory).scratch;
      ASSERT_GE(scratch, before);
      before = scratch;
    }
  }
}

TEST(MemoryLayout, WithRoomBatchesOverlap) {
  EXPECT_GE(LayOutMemory(Fixed(1000, 10), 4000).batches, 2000u);
  EXPECT_GE(LayOutMemory(Fixed(1000, 10), 100000).batches, 30000u);
}

TEST(MemoryLayout, RecordsOfAKnownSizeAreReadAheadFurtherThanTheyAreDecoded) {
  MemoryNeeds needs = Fixed(1000, 300);
  for (const uint64_t records : {50, 200, 1000, 5000}) {
    needs.usual_records = records;
    const MemoryLayout layout = LayOutMemory(needs, 100000);
    const uint64_t ahead = layout.fetch / records;
    EXPECT_GE(ahead, 4 * (layout.batches / 1000 - 2));
    EXPECT_LE(ahead, 4 * (layout.batches / 1000 + 2) + 1000 / records) << "the rest is for batches";
  }
}

TEST(MemoryLayout, WithRoomSeveralStandInsAreReadAtATime) {
  MemoryNeeds needs = Fixed(1000, 10);
  needs.own_replacements = true;
  EXPECT_EQ(LayOutMemory(needs, MinimumMemory(needs)).replacement, 10u);
  EXPECT_EQ(LayOutMemory(needs, 640000).replacement, 10u + 10000);
}

TEST(MemoryLayout, BelowTheMinimumTheErrorNamesObjectAndMinimum) {
  const MemoryNeeds needs = Fixed(1000, 77);
  EXPECT_EQ(MinimumMemory(needs), 2077u);
  EXPECT_NO_THROW(LayOutMemory(needs, 2077));
  try {
    LayOutMemory(needs, 2076);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_EQ(error.uri(), "mem://data/large");
    EXPECT_THAT(error.what(), AllOf(HasSubstr("2076"), HasSubstr("2077 bytes"), HasSubstr("77 B")));
  }
}

TEST(MemoryLayout, RawBatchesAreTheRecords) {
  MemoryNeeds needs = Fixed(500, 100);
  needs.rows = Rows::kRaw;
  const MemoryLayout layout = LayOutMemory(needs, 1100);
  EXPECT_EQ(layout.batches, 1100u);
  EXPECT_EQ(layout.fetch, 1100u);
  EXPECT_EQ(layout.scratch + layout.kept, 0u);
}

TEST(MemoryLayout, MemoryForScratchIsTheLeast) {
  MemoryNeeds sized = Fixed(1, 500);
  sized.rows = Rows::kSized;
  for (const MemoryNeeds& needs : {Fixed(1000, 10), Fixed(10, 1000), sized}) {
    for (const uint64_t scratch : {1, 400, 12345}) {
      const uint64_t memory = MemoryForScratch(needs, scratch);
      EXPECT_GE(LayOutMemory(needs, memory).scratch, scratch);
      if (memory > MinimumMemory(needs)) {
        EXPECT_LT(LayOutMemory(needs, memory - 1).scratch, scratch);
      }
    }
  }
}

}  // namespace
}  // namespace bucketline
