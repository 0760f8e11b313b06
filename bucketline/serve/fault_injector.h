// FaultInjector: deals the faults and latencies of a FaultPlan to requests in the order of their arrival.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>

#include "bucketline/base/clock.h"
#include "bucketline/base/metrics.h"
#include "bucketline/serve/fault_plan.h"
#include "bucketline/serve/operation.h"

namespace bucketline::serve {

struct Disturbance {
  ServeFault fault = ServeFault::kNone;
  Duration latency{0};
  std::shared_ptr<void> place = nullptr;  // among the requests that are served; given back when it goes
};

// Thread-safe.
class FaultInjector {
 public:
  // Throws kInvalidArgument, as Set does.
  explicit FaultInjector(const FaultPlan& plan) { Set(plan); }

  // The next request is number 0 of the new plan.
  void Set(const FaultPlan& plan) {
    CheckFaultPlan(plan);
    std::lock_guard lock(mutex_);
    plan_ = plan;
    next_ = 0;
  }

  // Requests that the plan does not concern take no number.
  Disturbance Next(Operation operation) {
    std::lock_guard lock(mutex_);
    if (plan_.data_only && operation != Operation::kGetObject) return {};
    const uint64_t number = next_++;
    Disturbance disturbance{ChooseFault(plan_, number), ChooseLatency(plan_, number)};
    if (plan_.most_at_once == 0) return disturbance;
    if (static_cast<uint64_t>(served_.use_count() - 1) >= plan_.most_at_once)
      return {ServeFault::kSlowDown, Duration{0}};
    disturbance.place = served_;
    return disturbance;
  }

 private:
  std::mutex mutex_;
  FaultPlan plan_;
  uint64_t next_ = 0;
  const std::shared_ptr<void> served_ =
      std::make_shared<char>();  // its other owners are the requests being served
};

}  // namespace bucketline::serve
