// What a Loader checks and works out before it starts.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/dataset/dataset.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/memory_layout.h"
#include "bucketline/loader/plan.h"

namespace bucketline {

// The options with `threads` and `last` set. Throws kInvalidArgument naming the option that is out of range.
LoaderOptions WithDefaults(LoaderOptions options);

// Throws kInvalidArgument for an empty dataset, one that does not fill a single step, and for rank and world
// size.
Plan PlanFor(const Dataset& dataset, const LoaderOptions& options);

// `pixels`: some are kept, so that a row may turn out to need its bytes after all.
MemoryNeeds NeedsOf(const Dataset& dataset, std::span<const Field> fields, const LoaderOptions& options,
                    bool pixels);

// A loader's part of the Runtime's common memory. The minimum is taken at construction and kept, so a loader
// that was made can always go on, whatever the others hold; the rest is taken once, at the start, as far as
// it is free then. Nobody ever waits for the common memory, hence no loader can wait for another's consumer.
class Admission {
 public:
  // Throws kResourceExhausted when `memory`, or what is left of the Runtime's, is below the minimum.
  Admission(Runtime& runtime, const MemoryNeeds& needs, uint64_t memory);

  // The bytes this loader may use in all: from the minimum to `memory`.
  uint64_t Extend();

  void Release() { held_.Release(); }

 private:
  MemoryBudget* const common_;  // nullptr: no cap
  const uint64_t memory_;
  Reservation held_;
};

}  // namespace bucketline
