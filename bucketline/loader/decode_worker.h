// DecodeWorker: one decode thread's tools and its share of the scratch memory.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "bucketline/exec/memory_budget.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/level_writer.h"

namespace bucketline {

// Where scratch comes from. A worker keeps its scratch from row to row, so what it keeps stays reserved: up to
// `kept_each` a thread, a share of its own that needs no waiting. A larger need is taken from `large` as a whole,
// and its tools are thrown away afterwards. A thread waits for `large` holding nothing that others wait for, and
// whoever holds it is at work on a row: the wait always ends.
struct ScratchShares {
  uint64_t kept_each = 0;
  MemoryBudget* large = nullptr;
  MemoryBudget* common = nullptr;  // counts everything; has room whenever a share has
};

// What a row is made with.
struct Workbench {
  ImageDecoder decoder;
  LevelWriter writer;
  std::vector<uint8_t> levels;  // of all fields, for a transform
  std::vector<uint8_t> base;    // of one field whose pixels are kept
};

// Not thread-safe; one per thread.
class DecodeWorker {
 public:
  explicit DecodeWorker(const ScratchShares& shares) : shares_(shares) {}

  // Calls `work`, which uses `scratch` bytes at most. False, without the call, when it was stopped while it waited
  // for them. Throws what `work` throws. Precondition: scratch <= max(kept_each, large->capacity()).
  bool Run(uint64_t scratch, const std::function<void(Workbench&)>& work, std::stop_token stop);

 private:
  void Keep(uint64_t bytes);

  const ScratchShares shares_;
  Reservation kept_;
  Workbench bench_;
};

}  // namespace bucketline
