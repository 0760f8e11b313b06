#include "bucketline/serve/fault_plan.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "bucketline/base/clock.h"
#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

constexpr uint64_t kFaultStream = 0;
constexpr uint64_t kLatencyStream = 1;
constexpr double kZOfP99 = 2.3263478740408408;  // the standard normal's 99th percentile
constexpr double kLongestLatency = 3600;        // seconds: the log-normal's tail must not overflow

// Standard normal, by Box and Muller.
double Normal(CounterRng& rng) {
  const double radius = std::sqrt(-2 * std::log(1 - rng.NextDouble()));
  return radius * std::cos(2 * std::numbers::pi * rng.NextDouble());
}

}  // namespace

std::string_view ServeFaultName(ServeFault fault) {
  switch (fault) {
    case ServeFault::kNone:
      return "none";
    case ServeFault::kSlowDown:
      return "slow_down";
    case ServeFault::kResetBefore:
      return "reset_before";
    case ServeFault::kResetBody:
      return "reset_body";
    case ServeFault::kTruncate:
      return "truncate";
    case ServeFault::kStall:
      return "stall";
  }
  return "unknown";
}

void CheckFaultPlan(const FaultPlan& plan) {
  double sum = 0;
  for (const auto& [name, share] : {std::pair{"slow_down", plan.slow_down},
                                    {"reset_before", plan.reset_before},
                                    {"reset_body", plan.reset_body},
                                    {"truncate", plan.truncate},
                                    {"stall", plan.stall}}) {
    if (!(share >= 0 && share <= 1)) {
      throw Error(ErrorCode::kInvalidArgument,
                  std::string("the fault share ") + name + " must be between 0 and 1");
    }
    sum += share;
  }
  if (sum > 1 + 1e-9) throw Error(ErrorCode::kInvalidArgument, "the fault shares add up to more than 1");
  if (plan.latency < Duration{0} || plan.latency_median < Duration{0} || plan.latency_p99 < Duration{0}) {
    throw Error(ErrorCode::kInvalidArgument, "a latency must not be negative");
  }
  if (plan.latency_median > Duration{0} && plan.latency_p99 < plan.latency_median) {
    throw Error(ErrorCode::kInvalidArgument, "latency_p99 must not be below latency_median");
  }
  if (plan.latency_median == Duration{0} && plan.latency_p99 > Duration{0}) {
    throw Error(ErrorCode::kInvalidArgument, "latency_p99 needs a latency_median");
  }
}

ServeFault ChooseFault(const FaultPlan& plan, uint64_t number) {
  CounterRng rng(plan.seed, kFaultStream, number);
  double left = rng.NextDouble();
  for (const auto& [fault, share] : {std::pair{ServeFault::kSlowDown, plan.slow_down},
                                     {ServeFault::kResetBefore, plan.reset_before},
                                     {ServeFault::kResetBody, plan.reset_body},
                                     {ServeFault::kTruncate, plan.truncate},
                                     {ServeFault::kStall, plan.stall}}) {
    if (left < share) return fault;
    left -= share;
  }
  return ServeFault::kNone;
}

Duration ChooseLatency(const FaultPlan& plan, uint64_t number) {
  if (plan.latency_median <= Duration{0}) return plan.latency;
  CounterRng rng(plan.seed, kLatencyStream, number);
  const double median = Seconds(plan.latency_median);
  const double sigma = std::log(Seconds(plan.latency_p99) / median) / kZOfP99;
  const double seconds = std::min(median * std::exp(sigma * Normal(rng)), kLongestLatency);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace bucketline
