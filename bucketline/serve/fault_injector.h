// FaultInjector: deals the faults and latencies of a FaultPlan to requests in the order of their arrival.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "bucketline/base/clock.h"
#include "bucketline/base/metrics.h"
#include "bucketline/serve/fault_plan.h"
#include "bucketline/serve/operation.h"

namespace bucketline::serve {

struct Disturbance {
  ServeFault fault = ServeFault::kNone;
  Duration latency{0};
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
    return {ChooseFault(plan_, number), ChooseLatency(plan_, number)};
  }

 private:
  std::mutex mutex_;
  FaultPlan plan_;
  uint64_t next_ = 0;
};

}  // namespace bucketline::serve
