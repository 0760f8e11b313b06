#include "bucketline/base/clock.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

using std::chrono_literals::operator""h;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TEST(Clock, RealTellsTheTimeOfTheSystem) {
  const Clock& clock = Clock::Real();
  const SteadyTime steady_before = std::chrono::steady_clock::now();
  const SteadyTime steady = clock.Now();
  EXPECT_LE(steady_before, steady);
  EXPECT_LE(steady, std::chrono::steady_clock::now());
  EXPECT_LT(std::chrono::abs(std::chrono::system_clock::now() - clock.WallNow()), 1h);
  EXPECT_EQ(&clock, &Clock::Real());
}

TEST(ManualClock, StandsStillUntilMovedAndMovesBothTimes) {
  const WallTime start{std::chrono::sys_days(std::chrono::year(2013) / 5 / 24)};
  ManualClock clock(start);
  const SteadyTime steady = clock.Now();
  EXPECT_EQ(clock.WallNow(), start);
  EXPECT_EQ(clock.Now(), steady);
  clock.Advance(1500ms);
  EXPECT_EQ(clock.WallNow() - start, 1500ms);
  EXPECT_EQ(clock.Now() - steady, 1500ms);
}

TEST(ManualClock, StartsAtTheEpochUnlessTold) { EXPECT_EQ(ManualClock().WallNow(), WallTime{}); }

TEST(ManualClock, LosesNoStepOfManyThreads) {
  ManualClock clock;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 250; ++i) clock.Advance(1ms);
      });
    }
  }
  EXPECT_EQ(clock.WallNow() - WallTime{}, 1s);
  EXPECT_EQ(clock.Now() - SteadyTime{}, 1s);
}

TEST(MillisecondsUntil, RoundsUpAndKnowsItsLimits) {
  const SteadyTime now = SteadyTime(std::chrono::hours(1));
  EXPECT_EQ(MillisecondsUntil(now, now), 0);
  EXPECT_EQ(MillisecondsUntil(now, SteadyTime::min()), 0);
  EXPECT_EQ(MillisecondsUntil(now, now + std::chrono::nanoseconds(1)), 1);
  EXPECT_EQ(MillisecondsUntil(now, now + std::chrono::milliseconds(7)), 7);
  EXPECT_EQ(MillisecondsUntil(now, now + std::chrono::microseconds(7001)), 8);
  EXPECT_EQ(MillisecondsUntil(now, SteadyTime::max()), 24 * 3600 * 1000);
}

}  // namespace
}  // namespace bucketline
