#include "bucketline/serve/fault_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/serve/fault_injector.h"

namespace bucketline {
namespace {

using std::chrono::milliseconds;

FaultPlan Mixed() {
  FaultPlan plan;
  plan.slow_down = 0.1;
  plan.reset_before = 0.05;
  plan.reset_body = 0.2;
  plan.truncate = 0.15;
  plan.stall = 0.02;
  plan.seed = 7;
  return plan;
}

TEST(FaultPlan, SharesAreKept) {
  constexpr int kRequests = 20000;
  std::array<int, kServeFaultKinds> seen{};
  for (int i = 0; i < kRequests; ++i) ++seen[static_cast<size_t>(ChooseFault(Mixed(), i))];
  const std::array<double, kServeFaultKinds> expected = {0.48, 0.1, 0.05, 0.2, 0.15, 0.02};
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_NEAR(seen[i] / double{kRequests}, expected[i], 0.01) << ServeFaultName(static_cast<ServeFault>(i));
  }
}

TEST(FaultPlan, SeedAndNumberDecide) {
  FaultPlan other = Mixed();
  other.seed = 8;
  int different = 0;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(ChooseFault(Mixed(), i), ChooseFault(Mixed(), i));
    different += ChooseFault(Mixed(), i) != ChooseFault(other, i) ? 1 : 0;
  }
  EXPECT_GT(different, 20);
}

TEST(FaultPlan, CertainAndImpossible) {
  FaultPlan always;
  always.stall = 1;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ChooseFault(always, i), ServeFault::kStall);
    EXPECT_EQ(ChooseFault(FaultPlan(), i), ServeFault::kNone);
  }
}

TEST(FaultPlan, LatencyIsFixedOrLogNormal) {
  FaultPlan plan;
  plan.latency = milliseconds(3);
  EXPECT_EQ(ChooseLatency(plan, 0), Duration(milliseconds(3)));
  plan.latency_median = milliseconds(20);
  plan.latency_p99 = milliseconds(200);
  std::vector<Duration> drawn;
  for (int i = 0; i < 20000; ++i) drawn.push_back(ChooseLatency(plan, i));
  std::ranges::sort(drawn);
  EXPECT_NEAR(std::chrono::duration<double>(drawn[10000]).count(), 0.020, 0.002);
  EXPECT_NEAR(std::chrono::duration<double>(drawn[19800]).count(), 0.200, 0.030);
  EXPECT_EQ(ChooseLatency(plan, 5), ChooseLatency(plan, 5));
}

TEST(FaultPlan, WrongPlansAreRefused) {
  const auto refused = [](auto change) {
    FaultPlan plan;
    change(plan);
    try {
      CheckFaultPlan(plan);
    } catch (const Error& error) {
      return error.code() == ErrorCode::kInvalidArgument;
    }
    return false;
  };
  EXPECT_FALSE(refused([](FaultPlan&) {}));
  EXPECT_TRUE(refused([](FaultPlan& plan) { plan.slow_down = -0.1; }));
  EXPECT_TRUE(refused([](FaultPlan& plan) { plan.reset_before = std::nan(""); }));
  EXPECT_TRUE(refused([](FaultPlan& plan) { plan.reset_body = 1.5; }));
  EXPECT_TRUE(refused([](FaultPlan& plan) { plan.truncate = plan.stall = 0.6; }));
  EXPECT_TRUE(refused([](FaultPlan& plan) { plan.latency = -milliseconds(1); }));
  EXPECT_TRUE(refused([](FaultPlan& plan) { plan.latency_p99 = milliseconds(1); }));
  EXPECT_TRUE(refused([](FaultPlan& plan) {
    plan.latency_median = milliseconds(2);
    plan.latency_p99 = milliseconds(1);
  }));
}

TEST(FaultInjector, DealsInOrderAndOnlyToData) {
  serve::FaultInjector injector(Mixed());
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i < 50; ++i) {
      EXPECT_EQ(injector.Next(Operation::kPutObject).fault, ServeFault::kNone);
      EXPECT_EQ(injector.Next(Operation::kGetObject).fault, ChooseFault(Mixed(), i));
    }
    injector.Set(Mixed());  // starts anew
  }
  FaultPlan all = Mixed();
  all.data_only = false;
  all.stall = 0.6;
  all.slow_down = all.reset_before = all.reset_body = all.truncate = 0.1;
  all.latency = milliseconds(9);
  injector.Set(all);
  const serve::Disturbance first = injector.Next(Operation::kListBuckets);
  EXPECT_NE(first.fault, ServeFault::kNone);
  EXPECT_EQ(first.latency, Duration(milliseconds(9)));
  all.stall = 2;
  EXPECT_THROW(injector.Set(all), Error);
}

}  // namespace
}  // namespace bucketline
