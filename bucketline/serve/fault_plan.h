// FaultPlan: what goes wrong at the endpoint, how often and how late; a pure function of seed and request
// number.
#pragma once

#include <cstdint>
#include <string_view>

#include "bucketline/base/clock.h"

namespace bucketline {

enum class ServeFault {
  kNone,
  kSlowDown,     // 503 SlowDown
  kResetBefore,  // connection reset before the first byte of the answer
  kResetBody,    // connection reset after half of the body
  kTruncate,     // half of the body, then a clean close, although Content-Length promised all of it
  kStall,        // half of the body, then nothing until the client leaves
};
constexpr int kServeFaultKinds = 6;

// "none", "slow_down", "reset_before", "reset_body", "truncate", "stall".
std::string_view ServeFaultName(ServeFault fault);

struct FaultPlan {
  // Shares of the requests, each in [0, 1], together at most 1. On an answer with less than two bytes of body
  // the last three act before the first byte of the answer, so that a fault always bites.
  double slow_down = 0;
  double reset_before = 0;
  double reset_body = 0;
  double truncate = 0;
  double stall = 0;
  uint64_t seed = 0;

  // What a busy store does: above this many requests at a time, the rest is answered 503 SlowDown at once. 0: any number.
  uint64_t most_at_once = 0;

  // Time between the request's head and the answer's first byte: fixed, or, when latency_median is above 0,
  // log-normal with this median and 99th percentile instead.
  Duration latency{0};
  Duration latency_median{0};
  Duration latency_p99{0};

  bool data_only = true;  // faults and latency only for GETs of objects
};

// Throws kInvalidArgument naming the field.
void CheckFaultPlan(const FaultPlan& plan);

// The fault and the latency of request `number`: the same for the same plan on every platform.
ServeFault ChooseFault(const FaultPlan& plan, uint64_t number);
Duration ChooseLatency(const FaultPlan& plan, uint64_t number);

}  // namespace bucketline
