#include "bucketline/s3/hedge_rules.h"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kSmall = 100'000;

TEST(HedgeRulesTest, KnowsNothingBeforeAHundredReads) {
  S3Counters counters;
  HedgeRules rules(&counters);
  for (int i = 0; i < 99; ++i) rules.Record(kSmall, milliseconds(300));
  EXPECT_EQ(rules.Patience(kSmall), std::nullopt);
  rules.Record(kSmall, milliseconds(300));
  EXPECT_GE(rules.Patience(kSmall), milliseconds(300));
  EXPECT_LT(rules.Patience(kSmall), milliseconds(340));
}

TEST(HedgeRulesTest, IsNeverHastyAndKeepsSizesApart) {
  S3Counters counters;
  HedgeRules rules(&counters);
  for (int i = 0; i < 100; ++i) rules.Record(1000, milliseconds(1));
  EXPECT_EQ(rules.Patience(1000), milliseconds(200));
  EXPECT_EQ(rules.Patience(kSmall), std::nullopt);
  EXPECT_EQ(rules.Patience(1'000'000), std::nullopt);
}

TEST(HedgeRulesTest, LargeReadsHaveNoSecond) {
  S3Counters counters;
  HedgeRules rules(&counters);
  for (int i = 0; i < 2000; ++i) rules.Record(HedgeRules::kLargest + 1, milliseconds(1));
  EXPECT_EQ(rules.Patience(HedgeRules::kLargest + 1), std::nullopt);
  EXPECT_EQ(rules.Patience(HedgeRules::kLargest), std::nullopt);
}

TEST(HedgeRulesTest, FollowsTheNetwork) {
  S3Counters counters;
  HedgeRules rules(&counters);
  for (int i = 0; i < 4000; ++i) rules.Record(kSmall, milliseconds(300));
  for (int i = 0; i < 999; ++i) rules.Record(kSmall, milliseconds(900));
  EXPECT_LT(rules.Patience(kSmall), milliseconds(340));  // too few yet
  for (int i = 999; i < 4000; ++i) rules.Record(kSmall, milliseconds(900));
  EXPECT_GE(rules.Patience(kSmall), milliseconds(900));
  for (int i = 0; i < 1000; ++i) rules.Record(kSmall, milliseconds(300));
  EXPECT_LT(rules.Patience(kSmall), milliseconds(340));
}

// The first hundred may well hold no slow one; a share spent on reads that are hardly late is missing for those that are.
TEST(HedgeRulesTest, AFirstGuessIsMended) {
  S3Counters counters;
  HedgeRules rules(&counters);
  for (int i = 0; i < 100; ++i) rules.Record(kSmall, milliseconds(250));
  EXPECT_LT(rules.Patience(kSmall), milliseconds(290));
  for (int i = 0; i < 100; ++i) rules.Record(kSmall, milliseconds(i < 10 ? 800 : 250));
  EXPECT_GE(rules.Patience(kSmall), milliseconds(800));
}

TEST(HedgeRulesTest, NeverMoreThanItsShare) {
  S3Counters counters;
  HedgeRules rules(&counters);
  EXPECT_FALSE(rules.TryTake(milliseconds(200), milliseconds(3000)));
  uint64_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    counters.requests.Add();
    while (rules.TryTake(milliseconds(200), milliseconds(300))) ++taken;
    EXPECT_LE(taken * 100, counters.requests.value() * 3);
  }
  EXPECT_EQ(taken, 30u);
  EXPECT_EQ(counters.hedges.value(), 30u);
}

TEST(HedgeRulesTest, TheLatestStillHaveAPartOfTheShareWhenOthersHaveNone) {
  S3Counters counters;
  HedgeRules rules(&counters);
  counters.requests.Add(1000);
  uint64_t taken = 0;
  while (rules.TryTake(milliseconds(200), milliseconds(299))) ++taken;
  EXPECT_EQ(taken, 27u);
  while (rules.TryTake(milliseconds(200), milliseconds(300))) ++taken;
  EXPECT_EQ(taken, 30u);
}

// Log-normal: median 30 ms, 99th percentile 600 ms.
double LogNormalMs(CounterRng& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.NextDouble()));
  const double normal = radius * std::cos(2 * std::numbers::pi * random.NextDouble());
  return 30 * std::exp(std::log(600.0 / 30) / 2.3263 * normal);
}

// The time to deliver a batch is that of its slowest read.
double P99OfBatches(bool hedge) {
  constexpr int kReads = 200'000, kBatch = 32;
  S3Counters counters;
  HedgeRules rules(&counters);
  CounterRng random(5, 0, 0);
  Histogram batches;
  double slowest = 0;
  for (int i = 1; i <= kReads; ++i) {
    const double first = LogNormalMs(random), second = LogNormalMs(random);
    counters.requests.Add();
    double took = first;
    const auto patience = rules.Patience(kSmall);
    const double patience_ms = patience ? std::chrono::duration<double, std::milli>(*patience).count() : 0;
    if (hedge && patience && first > patience_ms && rules.TryTake(*patience, *patience))
      took = std::min(first, patience_ms + second);
    rules.Record(kSmall,
                 std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(took)));
    slowest = std::max(slowest, took);
    if (i % kBatch == 0) batches.Record(static_cast<uint64_t>(std::exchange(slowest, 0)));
  }
  EXPECT_LE(counters.hedges.value() * 100, kReads * 3u);
  EXPECT_EQ(counters.hedges.value() > 0, hedge);
  return static_cast<double>(batches.Quantile(0.99));
}

TEST(HedgeRulesTest, ShortenTheTailOfBatches) { EXPECT_LT(P99OfBatches(true) * 2, P99OfBatches(false)); }

}  // namespace
}  // namespace bucketline
