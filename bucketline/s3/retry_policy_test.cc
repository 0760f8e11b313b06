#include "bucketline/s3/retry_policy.h"

#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr S3Backoff kBackoff = {50ms, 100ms, 20s};

S3Failure Failed(S3Fault fault, std::optional<Duration> retry_after = {}) {
  S3Failure failure{Error(ErrorCode::kUnavailable, "x"), fault};
  failure.retry_after = retry_after;
  return failure;
}

RetryDecision Ask(const S3Failure& failure, int attempts = 1, double random = 1, Duration elapsed = 0s,
                  bool corrected = false) {
  const RetryPolicy policy(10, 180s, kBackoff);
  return policy.Decide({failure, attempts, elapsed, random, corrected});
}

TEST(RetryPolicyTest, FinalFailuresAreNotRepeatedAndNeedNoReason) {
  const RetryDecision decision = Ask(Failed(S3Fault::kFinal));
  EXPECT_FALSE(decision.retry);
  EXPECT_EQ(decision.reason, "");
}

TEST(RetryPolicyTest, WaitsGrowByTwoUpToTheLongest) {
  const Duration transient[] = {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms};
  for (int attempts = 1; attempts <= 9; ++attempts) {
    EXPECT_EQ(Ask(Failed(S3Fault::kTransient), attempts).wait, transient[attempts - 1]);
    EXPECT_EQ(Ask(Failed(S3Fault::kThrottled), attempts).wait,
              std::min<Duration>(2 * transient[attempts - 1], 20s));
  }
  EXPECT_EQ(RetryPolicy(1000, 1h, kBackoff).Decide({Failed(S3Fault::kTransient), 900, 0s, 1, false}).wait,
            Duration(20s));
}

TEST(RetryPolicyTest, JitterScalesTheWholeWait) {
  EXPECT_EQ(Ask(Failed(S3Fault::kTransient), 3, 0).wait, Duration(0));
  EXPECT_EQ(Ask(Failed(S3Fault::kTransient), 3, 0.25).wait, Duration(50ms));
}

TEST(RetryPolicyTest, ABaseAboveTheLongestIsCut) {
  EXPECT_EQ(RetryPolicy(3, 1h, {5s, 5s, 1s}).Decide({Failed(S3Fault::kTransient), 1, 0s, 1, false}).wait,
            Duration(1s));
}

TEST(RetryPolicyTest, TheServersHintLengthensTheWaitByFiveSecondsAtMost) {
  EXPECT_EQ(Ask(Failed(S3Fault::kThrottled, 2s)).wait, Duration(2s));
  EXPECT_EQ(Ask(Failed(S3Fault::kThrottled, 1ms)).wait, Duration(100ms));
  EXPECT_EQ(Ask(Failed(S3Fault::kThrottled, 24h)).wait, Duration(5100ms));
}

TEST(RetryPolicyTest, CostsAreTheSdks) {
  EXPECT_EQ(Ask(Failed(S3Fault::kTransient)).cost, 14u);
  EXPECT_EQ(Ask(Failed(S3Fault::kThrottled)).cost, 5u);
}

TEST(RetryPolicyTest, AttemptsAreCounted) {
  EXPECT_TRUE(Ask(Failed(S3Fault::kTransient), 9, 0).retry);
  const RetryDecision decision = Ask(Failed(S3Fault::kTransient), 10, 0);
  EXPECT_FALSE(decision.retry);
  EXPECT_EQ(decision.reason, "after 10 attempts");
}

TEST(RetryPolicyTest, AWaitThatWouldPassTheDeadlineIsNotBegun) {
  EXPECT_TRUE(Ask(Failed(S3Fault::kTransient), 1, 1, 179900ms).retry);
  const RetryDecision decision = Ask(Failed(S3Fault::kTransient), 1, 1, 179950ms);
  EXPECT_FALSE(decision.retry);
  EXPECT_THAT(decision.reason, HasSubstr("deadline of 180 s"));
}

TEST(RetryPolicyTest, ASkewedClockIsCorrectedOnceAndAtOnce) {
  S3Failure failure = Failed(S3Fault::kClockSkew);
  EXPECT_FALSE(Ask(failure).retry);  // nothing to correct it with
  failure.server_time = WallTime{};
  const RetryDecision decision = Ask(failure);
  EXPECT_TRUE(decision.retry);
  EXPECT_TRUE(decision.correct_clock);
  EXPECT_EQ(decision.wait, Duration(0));
  EXPECT_EQ(decision.cost, 0u);
  EXPECT_FALSE(Ask(failure, 2, 1, 0s, true).retry);
}

TEST(RetryPolicyTest, CredentialsAreRenewedOnceAndAtOnce) {
  const S3Failure failure = Failed(S3Fault::kCredentials);
  const RetryPolicy policy(10, 180s, kBackoff);
  const RetryDecision decision = policy.Decide({.failure = failure});
  EXPECT_TRUE(decision.retry);
  EXPECT_TRUE(decision.renew_credentials);
  EXPECT_EQ(decision.wait, Duration(0));
  EXPECT_EQ(decision.cost, 0u);
  EXPECT_FALSE(policy.Decide({.failure = failure, .credentials_renewed = true}).retry);
}

TEST(RetryPolicyTest, AnotherRegionIsTriedOnceAndAtOnce) {
  const S3Failure failure = Failed(S3Fault::kRegion);
  const RetryPolicy policy(10, 180s, kBackoff);
  const RetryDecision decision = policy.Decide({.failure = failure});
  EXPECT_TRUE(decision.retry);
  EXPECT_TRUE(decision.redirect);
  EXPECT_EQ(decision.wait, Duration(0));
  EXPECT_EQ(decision.cost, 0u);
  EXPECT_FALSE(policy.Decide({.failure = failure, .redirected = true}).retry);
}

TEST(RetryBudgetTest, GivesWhatItHasAndNeverMore) {
  RetryBudget budget(20);
  EXPECT_TRUE(budget.TryTake(14));
  EXPECT_FALSE(budget.TryTake(14));
  EXPECT_EQ(budget.tokens(), 6u);
  EXPECT_TRUE(budget.TryTake(5));
  budget.Return(14);
  EXPECT_EQ(budget.tokens(), 15u);
  budget.Return(1000);
  EXPECT_EQ(budget.tokens(), 20u);
  EXPECT_EQ(RetryBudget().tokens(), 500u);
}

TEST(RetryBudgetTest, GrowsWithTheRequestsAtATime) {
  EXPECT_EQ(RetryBudget::CapacityFor(1), 500u);
  EXPECT_EQ(RetryBudget::CapacityFor(128), 128u * 9 * RetryCost::kTransient);
}

// Requests that begin together at a store that refuses all until `outage` is over: how many are lost. Time is counted,
// not waited for.
int LostInOutage(int requests, Duration outage, RetryBudget& budget) {
  const RetryPolicy policy(10, 180s, {});
  const S3Failure failure = Failed(S3Fault::kTransient);
  std::minstd_rand generator(1);
  std::uniform_real_distribution<double> random(0, 1);
  std::multimap<Duration, int> attempts;  // when, and which it is
  for (int i = 0; i < requests; ++i) attempts.emplace(Duration(0), 1);
  int lost = 0;
  while (!attempts.empty()) {
    const auto [now, attempt] = *attempts.begin();
    attempts.erase(attempts.begin());
    if (now >= outage) continue;  // answered
    const RetryDecision decision = policy.Decide({failure, attempt, now, random(generator), false});
    if (decision.retry && budget.TryTake(decision.cost)) {
      attempts.emplace(now + decision.wait, attempt + 1);
    } else {
      ++lost;
    }
  }
  return lost;
}

TEST(RetryBudgetTest, AnOutageOfASecondLosesNothingAt128Requests) {
  RetryBudget budget(RetryBudget::CapacityFor(128));
  EXPECT_EQ(LostInOutage(128, 1s, budget), 0);
  RetryBudget of_an_sdk;
  EXPECT_GT(LostInOutage(128, 1s, of_an_sdk), 100);
}

TEST(RetryBudgetTest, AnOutageThatStaysIsNotHitForEver) {
  RetryBudget budget(RetryBudget::CapacityFor(128));
  EXPECT_EQ(LostInOutage(128, 1h, budget), 128);
  EXPECT_LT(budget.tokens(), RetryCost::kTransient);
  EXPECT_EQ(LostInOutage(128, 1s, budget), 128);  // at the first failure
}

}  // namespace
}  // namespace bucketline
