#include "bucketline/s3/concurrency_limits.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using Permit = ConcurrencyLimits::Permit;

class ConcurrencyLimitsTest : public ::testing::Test {
 protected:
  // Numbers in the order in which they are let in; their permits stay in held_.
  ConcurrencyLimits::Place Ask(int number, bool retry = false, const std::string& scope = "s") {
    return limits_.Enter(scope, retry, [this, number](Permit permit) {
      order_.push_back(number);
      held_.push_back(std::move(permit));
    });
  }
  void EndOne(Congestion congestion) {
    Permit permit = std::move(held_.front());
    held_.erase(held_.begin());
    permit.End(congestion);
  }
  void SetUp() override {  // the scope exists
    Ask(0);
    EndOne(Congestion::kUnknown);
    order_.clear();
  }
  // Whoever waits is let in by the end of another, and joins held_.
  void TearDown() override {
    while (!held_.empty()) EndOne(Congestion::kUnknown);
  }
  // A round: as many as the limit allows, all ended alike.
  void Round(Congestion congestion) {
    const size_t limit = limits_.Read().limit;
    for (size_t i = 0; i < limit; ++i) Ask(0);
    while (!held_.empty()) EndOne(congestion);
  }

  ManualClock clock_{WallTime{}};
  ConcurrencyLimits limits_{{.first = 4, .floor = 2, .ceiling = 40, .backoff = 0.5}, &clock_};
  std::vector<int> order_;
  std::vector<Permit> held_;
};

TEST_F(ConcurrencyLimitsTest, NoMoreThanTheLimitAreUnderWay) {
  for (int i = 0; i < 10; ++i) Ask(i);
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(limits_.Read().in_flight, 4u);
  EXPECT_EQ(limits_.Read().waiting, 6u);
  EndOne(Congestion::kUnknown);
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(ConcurrencyLimitsTest, ARetryGoesToTheFront) {
  for (int i = 0; i < 6; ++i) Ask(i);
  Ask(9, true);
  EndOne(Congestion::kUnknown);
  EndOne(Congestion::kUnknown);
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3, 9, 4));
}

TEST_F(ConcurrencyLimitsTest, WhoLeavesIsNeverLetIn) {
  for (int i = 0; i < 4; ++i) Ask(i);
  const auto place = Ask(4);
  const auto behind = Ask(5);
  EXPECT_TRUE(limits_.Leave(place));
  EXPECT_FALSE(limits_.Leave(place));
  EndOne(Congestion::kUnknown);
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3, 5));
  EXPECT_FALSE(limits_.Leave(behind));
}

TEST_F(ConcurrencyLimitsTest, GrowsFastUntilTheFirstCongestionAndThenByOneARound) {
  Round(Congestion::kNone);
  EXPECT_GE(limits_.Read().limit, 6u);
  for (int i = 0; i < 8; ++i) Round(Congestion::kNone);
  EXPECT_EQ(limits_.Read().limit, 40u);
  Round(Congestion::kSome);
  EXPECT_EQ(limits_.Read().limit, 20u);
  for (int i = 0; i < 4; ++i) Round(Congestion::kNone);
  EXPECT_GE(limits_.Read().limit, 21u);
  EXPECT_LE(limits_.Read().limit, 24u);
}

TEST_F(ConcurrencyLimitsTest, AWaveOfRefusalsCountsOnceAndTheFloorHolds) {
  Round(Congestion::kSome);
  EXPECT_EQ(limits_.Read().limit, 2u);
  EXPECT_EQ(limits_.Read().backoffs, 1u);
  Round(Congestion::kSome);
  Round(Congestion::kSome);
  EXPECT_EQ(limits_.Read().limit, 2u);
  EXPECT_EQ(limits_.Read().backoffs, 3u);
}

TEST_F(ConcurrencyLimitsTest, DoesNotGrowWhileItIsNotUsed) {
  for (int i = 0; i < 100; ++i) {
    Ask(0);
    EndOne(Congestion::kNone);
  }
  EXPECT_EQ(limits_.Read().limit, 4u);
}

TEST_F(ConcurrencyLimitsTest, AnUnknownEndChangesNothing) {
  Round(Congestion::kUnknown);
  EXPECT_EQ(limits_.Read().limit, 4u);
  EXPECT_EQ(limits_.Read().backoffs, 0u);
}

TEST_F(ConcurrencyLimitsTest, ScopesDoNotHoldEachOtherUp) {
  for (int i = 0; i < 6; ++i) Ask(i);
  Ask(7, false, "other");
  EXPECT_THAT(order_, ElementsAre(0, 1, 2, 3, 7));
}

TEST_F(ConcurrencyLimitsTest, OptionalRequestsKeepOutOfTheWay) {
  Permit permit;
  EXPECT_TRUE(limits_.IsCalm("s"));
  EXPECT_TRUE(limits_.TryEnter("s", &permit));
  for (int i = 0; i < 3; ++i) Ask(i);
  Permit second;
  EXPECT_FALSE(limits_.TryEnter("s", &second));  // full
  EXPECT_FALSE(limits_.IsCalm("s"));
  EndOne(Congestion::kSome);
  held_.clear();
  permit.End(Congestion::kUnknown);
  EXPECT_FALSE(limits_.TryEnter("s", &second));  // congested lately
  clock_.Advance(std::chrono::seconds(11));
  EXPECT_TRUE(limits_.TryEnter("s", &second));
}

TEST_F(ConcurrencyLimitsTest, AnyNumberOfScopesIsABoundedNumberOfLimits) {
  for (int i = 0; i < 300; ++i) Ask(i, false, "scope" + std::to_string(i));
  EXPECT_EQ(order_.size(), 255u + 4u);  // beside the one of SetUp; the last 45 share a limit
}

// A store that serves ten at a time and refuses the rest.
TEST_F(ConcurrencyLimitsTest, FindsWhatAStoreCanDo) {
  size_t served = 0, refused = 0;
  for (int round = 0; round < 400; ++round) {
    const size_t limit = limits_.Read().limit;
    for (size_t i = 0; i < limit; ++i) Ask(0);
    for (size_t i = 0; !held_.empty(); ++i) {
      if (round >= 100) ++(i < 10 ? served : refused);
      EndOne(i < 10 ? Congestion::kNone : Congestion::kSome);
    }
  }
  EXPECT_GT(served, 300u * 6);
  EXPECT_LT(refused * 20, served);
}

TEST(ConcurrencyScopeTest, IsTheFirstFolderOfABucketAtAStore) {
  EXPECT_EQ(ConcurrencyScope("host:9000", "b", "a/b/c"), "host:9000/b/a/");
  EXPECT_EQ(ConcurrencyScope("host:9000", "b", "file"), "host:9000/b/");
  EXPECT_EQ(ConcurrencyScope("host:9000", "b", ""), "host:9000/b/");
}

}  // namespace
}  // namespace bucketline
