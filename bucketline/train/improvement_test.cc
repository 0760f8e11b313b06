#include "bucketline/train/improvement.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(Improvement, MoreIsBetterForAccuracyAndAuc) {
  for (const Monitor monitor : {Monitor::kAccuracy, Monitor::kAuc}) {
    Improvement improvement;
    EXPECT_TRUE(improvement.Add(monitor, 0.5));
    EXPECT_TRUE(improvement.Add(monitor, 0.6));
    EXPECT_FALSE(improvement.Add(monitor, 0.6));  // as good is not better
    EXPECT_FALSE(improvement.Add(monitor, 0.1));
    EXPECT_EQ(improvement.best, 0.6);
    EXPECT_EQ(improvement.epochs_since, 2u);
    EXPECT_TRUE(improvement.Add(monitor, 0.7));
    EXPECT_EQ(improvement.epochs_since, 0u);
  }
}

TEST(Improvement, LessIsBetterForLoss) {
  Improvement improvement;
  EXPECT_TRUE(improvement.Add(Monitor::kLoss, 2));
  EXPECT_FALSE(improvement.Add(Monitor::kLoss, 3));
  EXPECT_TRUE(improvement.Add(Monitor::kLoss, 1));
  EXPECT_EQ(improvement.best, 1);
}

TEST(Improvement, WhatIsNoNumberNeverImproves) {
  Improvement improvement;
  EXPECT_FALSE(improvement.Add(Monitor::kAuc, std::nan("")));
  EXPECT_FALSE(improvement.best);
  EXPECT_EQ(improvement.epochs_since, 1u);
  EXPECT_TRUE(improvement.Add(Monitor::kAuc, 0));
}

TEST(Improvement, StopsWhenPatienceIsOver) {
  Improvement improvement;
  improvement.Add(Monitor::kAccuracy, 0.5);
  EXPECT_FALSE(improvement.ShouldStop(1));
  improvement.Add(Monitor::kAccuracy, 0.4);
  EXPECT_TRUE(improvement.ShouldStop(1));
  EXPECT_FALSE(improvement.ShouldStop(2));
  EXPECT_FALSE(improvement.ShouldStop(0));  // no early stop
}

TEST(Improvement, NamesOfMonitors) {
  EXPECT_EQ(MonitorName(Monitor::kAccuracy), "accuracy");
  EXPECT_EQ(MonitorName(Monitor::kLoss), "loss");
  EXPECT_EQ(MonitorName(Monitor::kAuc), "auc");
}

}  // namespace
}  // namespace bucketline
