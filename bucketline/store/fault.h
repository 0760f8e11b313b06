// Fault: what is to go wrong with one call, and who decides it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/store/store_call.h"

namespace bucketline {

// What happens to one call.
struct Fault {
  enum class Kind {
    kNone,        // it is passed on
    kFailBefore,  // it fails, and the inner store never hears of it
    kFailAfter,   // a Get delivers `bytes` bytes (its whole range at most) and fails then; a writer's Write
                  // fails once it has taken `bytes`; other calls take effect in the inner store and fail all
                  // the same
    kHang,        // it never completes, until a stop request of the call or the end of the store: kCancelled.
                  // Writers block their caller, so theirs fail with kTimeout at once instead
  };
  Kind kind = Kind::kNone;
  Error error{ErrorCode::kUnavailable, "injected fault"};
  uint64_t bytes = 0;

  static Fault None() { return {}; }
  static Fault FailBefore(Error error) { return {Kind::kFailBefore, std::move(error), 0}; }
  static Fault FailAfter(uint64_t bytes, Error error) { return {Kind::kFailAfter, std::move(error), bytes}; }
  static Fault Hang() { return {Kind::kHang, Error(ErrorCode::kTimeout, "injected hang"), 0}; }
};

// Decides for each call; `number` counts the store's calls from 0. One call at a time, in the order they
// begin.
using FaultScript = std::function<Fault(const StoreCall& call, uint64_t number)>;

// Thread-safe: asks the script and counts.
class FaultDecider {
 public:
  explicit FaultDecider(FaultScript script) : script_(std::move(script)) {}
  Fault Decide(const StoreCall& call);
  uint64_t faults() const;

 private:
  mutable std::mutex mutex_;
  const FaultScript script_;
  uint64_t calls_ = 0;
  uint64_t faults_ = 0;
};

}  // namespace bucketline
