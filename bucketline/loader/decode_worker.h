// DecodeWorker: one decode thread's decoder and its share of the scratch memory.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>

#include "bucketline/base/random.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/spec.h"

namespace bucketline {

// Where scratch comes from. A decoder keeps its scratch from image to image, so what it keeps stays reserved:
// up to `kept_each` a thread, a share of its own that needs no waiting. A larger image takes all of its need
// from `large`, and its decoder is thrown away afterwards. A thread waits for `large` holding nothing that
// others wait for, and whoever holds it is decoding: the wait always ends.
struct ScratchShares {
  uint64_t kept_each = 0;
  MemoryBudget* large = nullptr;
  MemoryBudget* common = nullptr;  // counts everything; has room whenever a share has
};

// Not thread-safe; one per thread.
class DecodeWorker {
 public:
  explicit DecodeWorker(const ScratchShares& shares) : shares_(shares) {}

  // Decodes into `row`. False when it was stopped while it waited for scratch. Throws what ImageDecoder
  // throws. Precondition: ScratchBytes(info, spec) <= max(shares.kept_each, shares.large->capacity()).
  bool Decode(std::span<const uint8_t> data, const ImageInfo& info, const ImageSpec& spec, CounterRng rng,
              std::span<uint8_t> row, std::stop_token stop);

 private:
  void Keep(uint64_t bytes);

  const ScratchShares shares_;
  Reservation kept_;
  ImageDecoder decoder_;
};

}  // namespace bucketline
