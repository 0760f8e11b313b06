#include "bucketline/loader/plan.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/sampler/permutation.h"

namespace bucketline {
namespace {

TEST(Plan, RowsArePositionsThroughThePermutation) {
  const Plan plan({.records = 10, .seed = 3, .shuffle = true, .batch_size = 4, .last = LastPolicy::kPartial});
  ASSERT_EQ(plan.Steps(0), 3u);
  const BatchPlan batch = plan.At(7, 0, 1);
  EXPECT_EQ(batch.epoch, 7u);
  EXPECT_EQ(batch.position, 4u);
  EXPECT_EQ(batch.next_position, 8u);
  ASSERT_EQ(batch.rows.size(), 4u);
  const Permutation order(10, 3, 7);
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(batch.rows[i].position, 4 + i);
    EXPECT_EQ(batch.rows[i].record, order.At(4 + i));
    EXPECT_TRUE(batch.rows[i].valid);
  }
  EXPECT_EQ(plan.At(7, 0, 2).rows.size(), 2u);
  EXPECT_EQ(plan.At(7, 0, 2).next_position, 10u);
}

TEST(Plan, SamplingChoosesRecordsAndTheLengthOfAnEpoch) {
  const ClassBalance balance(10, [](uint64_t record) { return record < 3 ? 0 : 1; }, 25, 3);
  for (const Sampling sampling : {Sampling::kBalanced, Sampling::kReplacement}) {
    const Plan plan({.records = 10,
                     .seed = 3,
                     .shuffle = true,
                     .sampling = sampling,
                     .epoch_size = 25,
                     .balance = balance,
                     .batch_size = 4});
    EXPECT_EQ(plan.positions(), 25u);
    ASSERT_EQ(plan.Steps(0), 7u);
    EXPECT_EQ(plan.Steps(24), 1u);
    for (uint64_t step = 0; step < 7; ++step) {
      for (const RowPlan& row : plan.At(2, 0, step).rows) {
        EXPECT_LT(row.position, 25u);
        EXPECT_EQ(row.record, sampling == Sampling::kBalanced ? balance.At(2, row.position)
                                                              : DrawWithReplacement(10, 3, 2, row.position));
      }
    }
    EXPECT_EQ(plan.At(2, 0, 6).next_position, 25u);
  }
}

TEST(Plan, AWindowIsWalkedWithAndWithoutAWalk) {
  const WindowOrder window(ShardTable(50, [](uint64_t record) { return record / 7; }), 3, 9);
  const Plan plan({.records = 50, .seed = 9, .shuffle = true, .window = window, .batch_size = 8});
  EXPECT_EQ(plan.window(), 3u);
  PlanCursor cursor(plan, 4, 0);
  for (uint64_t epoch = 4; epoch < 6; ++epoch) {
    for (uint64_t step = 0; step < plan.Steps(0); ++step) {
      const BatchPlan walked = *cursor.Next();
      const BatchPlan alone = plan.At(epoch, 0, step);
      ASSERT_EQ(walked.rows.size(), alone.rows.size());
      for (size_t i = 0; i < alone.rows.size(); ++i) {
        EXPECT_EQ(walked.rows[i].record, window.At(epoch, alone.rows[i].position));
        EXPECT_EQ(alone.rows[i].record, walked.rows[i].record);
      }
    }
  }
}

TEST(Plan, APartOfTheRecordsIsAPartOfOneOrder) {
  const Plan plan({.records = 10, .seed = 3, .shuffle = true, .epoch_size = 4, .batch_size = 4});
  EXPECT_EQ(plan.positions(), 4u);
  for (uint64_t epoch = 0; epoch < 6; ++epoch) {
    const Permutation order(10, 3, epoch / 2);
    const BatchPlan batch = plan.At(epoch, 0, 0);
    for (uint64_t i = 0; i < 4; ++i) EXPECT_EQ(batch.rows[i].record, order.At(epoch % 2 * 4 + i));
  }
}

TEST(Plan, PaddingWrapsAndIsNotValid) {
  const Plan plan({.records = 5, .batch_size = 4, .last = LastPolicy::kPad});
  const BatchPlan batch = plan.At(0, 0, 1);
  ASSERT_EQ(batch.rows.size(), 4u);
  EXPECT_TRUE(batch.rows[0].valid);
  for (uint64_t i = 1; i < 4; ++i) {
    EXPECT_FALSE(batch.rows[i].valid);
    EXPECT_EQ(batch.rows[i].record, i - 1);
  }
}

TEST(Plan, RanksTogetherCoverTheRestOfAnEpochOnce) {
  std::map<uint64_t, int> seen;
  for (uint64_t rank = 0; rank < 3; ++rank) {
    const Plan plan({.records = 29,
                     .seed = 1,
                     .shuffle = true,
                     .batch_size = 4,
                     .rank = rank,
                     .world_size = 3,
                     .last = LastPolicy::kPartial});
    for (uint64_t step = 0; step < plan.Steps(7); ++step) {
      for (const RowPlan& row : plan.At(2, 7, step).rows) seen[row.record] += row.valid ? 1 : 0;
    }
  }
  EXPECT_EQ(seen.size(), 22u);
  for (const auto& [record, count] : seen) EXPECT_EQ(count, 1) << record;
}

TEST(Plan, ChecksItsConfiguration) {
  EXPECT_THROW(Plan({.records = 0}), Error);
  EXPECT_THROW(Plan({.records = 4, .rank = 2, .world_size = 2}), Error);
}

TEST(PlanCursor, GoesThroughEpochs) {
  const Plan plan({.records = 6, .batch_size = 4, .last = LastPolicy::kPartial});
  PlanCursor cursor(plan, 3, 4);
  EXPECT_EQ(cursor.Next()->position, 4u);  // the rest of epoch 3
  const BatchPlan next = *cursor.Next();
  EXPECT_EQ(next.epoch, 4u);
  EXPECT_EQ(next.position, 0u);
  EXPECT_EQ(cursor.Next()->position, 4u);
  EXPECT_EQ(cursor.Next()->epoch, 5u);
}

TEST(PlanCursor, EndsBeforeTheGivenEpoch) {
  const Plan plan({.records = 6, .batch_size = 2});
  PlanCursor cursor(plan, 3, 4, 5);
  EXPECT_EQ(cursor.Next()->epoch, 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(cursor.Next()->epoch, 4u);
  EXPECT_FALSE(cursor.Next());
  EXPECT_FALSE(cursor.Next());
  EXPECT_FALSE(PlanCursor(plan, 7, 0, 5).Next());
}

TEST(PlanCursor, AnEpochWithNothingLeftIsPassedOver) {
  const Plan plan({.records = 6, .batch_size = 4, .last = LastPolicy::kDrop});
  PlanCursor cursor(plan, 0, 4);  // two records do not fill a step
  EXPECT_EQ(cursor.Next()->epoch, 1u);
}

}  // namespace
}  // namespace bucketline
