#include "bucketline/train/loss_scale.h"

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(LossScale, HalvesOnOverflowAndStartsCountingAnew) {
  LossScale loss_scale;
  for (int i = 0; i < 5; ++i) loss_scale.Update(true);
  EXPECT_EQ(loss_scale.good_steps, 5u);
  loss_scale.Update(false);
  EXPECT_EQ(loss_scale.scale, 32768);
  EXPECT_EQ(loss_scale.good_steps, 0u);
}

TEST(LossScale, DoublesAfterManyGoodSteps) {
  LossScale loss_scale;
  for (uint64_t i = 1; i < LossScale::kGrowthInterval; ++i) loss_scale.Update(true);
  EXPECT_EQ(loss_scale.scale, LossScale::kInitial);
  loss_scale.Update(true);
  EXPECT_EQ(loss_scale.scale, 2 * LossScale::kInitial);
  EXPECT_EQ(loss_scale.good_steps, 0u);
}

TEST(LossScale, StaysWithinItsBounds) {
  LossScale loss_scale;
  for (int i = 0; i < 100; ++i) loss_scale.Update(false);
  EXPECT_EQ(loss_scale.scale, LossScale::kSmallest);
  for (uint64_t i = 0; i < 40 * LossScale::kGrowthInterval; ++i) loss_scale.Update(true);
  EXPECT_EQ(loss_scale.scale, LossScale::kLargest);
}

}  // namespace
}  // namespace bucketline
