#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/units.h"
#include "bucketline/channel/mount_order_plan.h"
#include "bucketline/channel/mount_pace.h"
#include "bucketline/channel/mount_read_plan.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using namespace std::chrono_literals;

constexpr uint64_t kMost = 64_MiB;

std::vector<MountRange> TakeDue(MountReadPlan& plan) {
  std::vector<MountRange> ranges;
  while (const std::optional<MountRange> due = plan.Due()) {
    ranges.push_back(*due);
    plan.Asked(*due);
  }
  return ranges;
}

TEST(MountReadPlanTest, ASmallFileIsReadWholeWhereverItIsBegun) {
  for (const uint64_t offset : {uint64_t{0}, uint64_t{500'000}}) {
    MountReadPlan plan(1_MiB);
    plan.Note(offset, 4096, kMost);
    EXPECT_THAT(TakeDue(plan), ElementsAre(MountRange{0, 1_MiB}));
    plan.Note(offset + 4096, 4096, kMost);
    EXPECT_THAT(TakeDue(plan), IsEmpty());
  }
}

TEST(MountReadPlanTest, ALargeFileBegunAtZeroIsReadAheadByItsHeadAndMoreWhereTheReadIsLong) {
  MountReadPlan header(1_GiB);
  header.Note(0, 4096, kMost);
  EXPECT_THAT(TakeDue(header), ElementsAre(MountRange{0, kMountHead}));
  MountReadPlan all(1_GiB);
  all.Note(0, 256_KiB, kMost);
  EXPECT_THAT(TakeDue(all), ElementsAre(MountRange{0, kMountHead}, MountRange{kMountHead, 2_MiB}));
}

TEST(MountReadPlanTest, RandomReadsReadNothingAhead) {
  std::mt19937_64 random(1);
  MountReadPlan plan(1_GiB);
  for (int i = 0; i < 200; ++i) {
    plan.Note(random() % (1_GiB - 128_KiB) | 1, 128_KiB, kMost);
    EXPECT_THAT(TakeDue(plan), IsEmpty());
  }
}

TEST(MountReadPlanTest, ARunOpensAGrowingWindowWhoseRangesTouch) {
  MountReadPlan plan(1_GiB);
  uint64_t asked = 0;
  for (uint64_t offset = 0; offset < 1_GiB; offset += 128_KiB) {
    plan.Note(offset, 128_KiB, kMost);
    for (const MountRange& range : TakeDue(plan)) {
      EXPECT_EQ(range.offset, asked);
      EXPECT_LE(range.length, 2_MiB);
      asked = range.end();
    }
    ASSERT_GE(asked, offset + 128_KiB) << "what is read was asked for";
    ASSERT_LE(asked, offset + 128_KiB + std::max(4 * (offset + 128_KiB), 4_MiB))
        << "no more than four times the run";
    ASSERT_LE(asked, offset + 128_KiB + kMost + 2_MiB) << "but for the end of the file";
  }
  EXPECT_EQ(plan.window(), kMost);
  EXPECT_EQ(asked, 1_GiB);
}

TEST(MountReadPlanTest, SeveralPiecesAreUnderWayInAFullWindow) {
  MountReadPlan plan(1_GiB);
  for (uint64_t offset = 0; offset < 256_MiB; offset += 1_MiB) {
    plan.Note(offset, 1_MiB, kMost);
    TakeDue(plan);
  }
  plan.Note(256_MiB, 1_MiB, kMost);
  const std::optional<MountRange> due = plan.Due();
  EXPECT_GT(due ? due->offset : 257_MiB + kMost, 257_MiB + kMost - 2 * 2_MiB);
}

TEST(MountReadPlanTest, ReadsThatFollowARandomOneOpenARunThere) {
  MountReadPlan plan(1_GiB);
  std::vector<MountRange> due;
  uint64_t offset = 500_MiB;
  for (; due.empty(); offset += 128_KiB) {
    plan.Note(offset, 128_KiB, kMost);
    due = TakeDue(plan);
    ASSERT_LT(offset, 501_MiB);
  }
  EXPECT_EQ(offset, 500_MiB + 4 * 128_KiB) << "two that follow each other may be chance";
  EXPECT_EQ(due[0].length, 2_MiB);
}

TEST(MountReadPlanTest, ReadsThatChangePlacesAreStillOneRun) {
  MountReadPlan plan(1_GiB);
  for (uint64_t offset = 0; offset < 8_MiB; offset += 256_KiB) {
    plan.Note(offset + 128_KiB, 128_KiB, kMost);
    plan.Note(offset, 128_KiB, kMost);
    if (offset > 0) {
      EXPECT_NE(plan.window(), 0u) << offset;
    }
  }
  EXPECT_EQ(plan.window(), 32_MiB);
}

TEST(MountReadPlanTest, AJumpClosesTheWindow) {
  MountReadPlan plan(1_GiB);
  for (uint64_t offset = 0; offset < 4_MiB; offset += 1_MiB) plan.Note(offset, 1_MiB, kMost);
  EXPECT_NE(plan.window(), 0u);
  EXPECT_EQ(plan.behind(), 2_MiB);
  plan.Note(700_MiB, 4096, kMost);
  EXPECT_EQ(plan.window(), 0u);
  EXPECT_EQ(plan.behind(), 0u);
  EXPECT_THAT(TakeDue(plan), IsEmpty());
}

TEST(MountReadPlanTest, WhereThereWasNoRoomTheReaderIsCaughtUpWith) {
  MountReadPlan plan(1_GiB);
  for (uint64_t offset = 0; offset < 32_MiB; offset += 1_MiB)
    plan.Note(offset, 1_MiB, kMost);  // nothing asked
  plan.Note(32_MiB, 1_MiB, kMost);
  ASSERT_TRUE(plan.Due().has_value());
  EXPECT_EQ(plan.Due()->offset, 32_MiB);
}

TEST(MountReadPlanTest, AWindowMayReachBeyondTheEndOfARunFromTheBegin) {
  MountReadPlan plan(10_MiB);
  for (uint64_t offset = 0; offset < 4_MiB; offset += 1_MiB) {
    plan.Note(offset, 1_MiB, kMost);
    EXPECT_EQ(plan.beyond_end(), 0u) << "not before all was asked for";
  }
  TakeDue(plan);
  EXPECT_EQ(plan.beyond_end(), 10_MiB);  // 4 read and 16 ahead, of 10
  plan.Note(8_MiB, 4096, kMost);
  EXPECT_EQ(plan.beyond_end(), 0u) << "a jump";
}

TEST(MountReadPlanTest, AWindowAtTheBeginIsAskedForAsItsReaderWould) {
  MountReadPlan ahead(100_MiB);
  ahead.OpenAtBegin(6_MiB);
  MountReadPlan reader(100_MiB);
  std::vector<MountRange> wanted;
  for (const uint64_t offset : {uint64_t{0}, 1_MiB}) {
    reader.Note(offset, 1_MiB, kMost);
    std::ranges::copy(TakeDue(reader), std::back_inserter(wanted));
  }
  const std::vector<MountRange> asked = TakeDue(ahead);
  EXPECT_THAT(asked, ElementsAre(MountRange{0, 1_MiB}, MountRange{1_MiB, 2_MiB}, MountRange{3_MiB, 2_MiB}));
  for (size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(wanted[i], asked[i]);
}

TEST(MountReadPlanTest, WithoutRoomNothingIsAskedFor) {
  MountReadPlan plan(1_GiB);
  for (uint64_t offset = 0; offset < 4_MiB; offset += 1_MiB) {
    plan.Note(offset, 1_MiB, 0);
    EXPECT_THAT(TakeDue(plan), IsEmpty());
  }
}

TEST(MountPaceTest, TheLeastLatencyIsForgottenAfterAWhile) {
  LeastLatency latency;
  EXPECT_EQ(latency.get(), Duration::zero());
  latency.Add(5ms);
  latency.Add(3ms);
  for (int i = 0; i < 4096; ++i) latency.Add(50ms);
  EXPECT_EQ(latency.get(), 3ms);
  for (int i = 0; i < 4096; ++i) latency.Add(50ms);
  EXPECT_EQ(latency.get(), 50ms);
}

TEST(MountPaceTest, AFarStoreIsWorthAWindowThatGrowsWithTheReader) {
  MountPace pace;
  SteadyTime now{};
  EXPECT_EQ(pace.Worthwhile(now, 50ms), 8_MiB);
  pace.Note(now, 5_MiB);
  now += 50ms;
  EXPECT_EQ(pace.Worthwhile(now, 50ms), 20_MiB);
  EXPECT_EQ(pace.Worthwhile(now, 1ms), 8_MiB) << "a near one is not";
  pace.Note(now, 20_MiB);
  now += 50ms;
  EXPECT_EQ(pace.Worthwhile(now, 50ms), 50_MiB);
}

TEST(MountPaceTest, WhatWasLongAgoCountsLess) {
  MountPace pace;
  SteadyTime now{};
  pace.Note(now, 1_GiB);
  const uint64_t fast = pace.Worthwhile(now + 1s, 100ms);
  for (int i = 0; i < 60; ++i) pace.Note(now += 1s, 1_KiB);
  EXPECT_LT(pace.Worthwhile(now, 100ms), fast / 40);
}

std::set<uint64_t> Asked(MountOrderPlan& plan, const std::vector<uint64_t>& records) {
  std::set<uint64_t> asked;
  for (const uint64_t record : records) {
    const MountOrderPlan::Ahead ahead = plan.Note(record);
    for (uint64_t i = ahead.first; i < ahead.last; ++i) {
      EXPECT_TRUE(asked.insert(i).second) << i << " was asked for twice";
    }
  }
  return asked;
}

TEST(MountOrderPlanTest, ARunReadsAGrowingNumberAheadAndNothingTwice) {
  MountOrderPlan plan(1000, 64);
  EXPECT_THAT(Asked(plan, {10, 11}), IsEmpty());
  EXPECT_THAT(Asked(plan, {12}), ElementsAre(13, 14, 15, 16, 17, 18));
  std::vector<uint64_t> rest;
  for (uint64_t i = 13; i < 1000; ++i) rest.push_back(i);
  const std::set<uint64_t> asked = Asked(plan, rest);
  EXPECT_EQ(asked.size(), 1000u - 19);
  EXPECT_EQ(*asked.rbegin(), 999u);
}

TEST(MountOrderPlanTest, WhatFoundNoRoomIsAskedForLater) {
  MountOrderPlan plan(1000, 64);
  for (uint64_t i = 0; i < 10; ++i) plan.Note(i);
  const MountOrderPlan::Ahead ahead = plan.Note(10);
  ASSERT_LT(ahead.first + 1, ahead.last);
  plan.NoRoom(ahead, ahead.first + 1);
  EXPECT_EQ(plan.Note(11).first, ahead.first + 1);
}

TEST(MountOrderPlanTest, NeverFurtherAheadThanAllowed) {
  MountOrderPlan plan(10'000, 20);
  for (uint64_t i = 0; i < 2000; ++i) {
    const MountOrderPlan::Ahead ahead = plan.Note(i);
    EXPECT_LE(ahead.last, i + 1 + 20);
  }
}

TEST(MountOrderPlanTest, ReadersThatTakeTurnsAreARun) {
  MountOrderPlan plan(1000, 64);
  const std::set<uint64_t> asked = Asked(plan, {0, 2, 1, 3, 6, 4, 5, 7, 9, 8});
  EXPECT_TRUE(asked.contains(12));
}

TEST(MountOrderPlanTest, AShuffledOrderReadsNothingAhead) {
  std::vector<uint64_t> order(100'000);
  for (uint64_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(3));
  MountOrderPlan plan(order.size(), 64);
  EXPECT_LT(Asked(plan, std::vector<uint64_t>(order.begin(), order.begin() + 1000)).size(), 10u);
}

TEST(MountOrderPlanTest, RunsInSeveralFoldersGoOnBesideEachOther) {
  MountOrderPlan plan(100'000, 64);
  std::vector<uint64_t> turns;
  for (uint64_t i = 0; i < 50; ++i) {
    for (const uint64_t folder : {0, 20'000, 40'000, 60'000}) turns.push_back(folder + i);
  }
  const std::set<uint64_t> asked = Asked(plan, turns);
  for (const uint64_t folder : {0, 20'000, 40'000, 60'000}) EXPECT_TRUE(asked.contains(folder + 60));
}

}  // namespace
}  // namespace bucketline
