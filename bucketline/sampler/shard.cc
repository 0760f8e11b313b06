#include "bucketline/sampler/shard.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

void Check(bool ok, const char* field, uint64_t value, const std::string& rule) {
  if (!ok)
    throw Error(ErrorCode::kInvalidArgument, fmt::format("{} is {}; it must be {}", field, value, rule));
}

}  // namespace

void Shard::Validate() const {
  Check(n <= kMaxPositions, "n", n, fmt::format("at most {}", kMaxPositions));
  Check(start <= n, "start", start, fmt::format("at most n, which is {}", n));
  Check(batch >= 1 && batch <= kMaxBatch, "batch", batch, fmt::format("from 1 to {}", kMaxBatch));
  Check(world >= 1 && world <= kMaxWorld, "world", world, fmt::format("from 1 to {}", kMaxWorld));
  Check(rank < world, "rank", rank, fmt::format("below world, which is {}", world));
}

uint64_t Shard::Steps() const {
  const uint64_t whole = (n - start) / (world * batch);
  const uint64_t tail = (n - start) % (world * batch);
  return last == LastPolicy::kDrop || tail == 0 ? whole : whole + 1;
}

StepSlice Shard::At(uint64_t step) const {
  const uint64_t step_start = start + step * world * batch;
  const uint64_t left = n - step_start;  // positions of the epoch from this step on, over all ranks
  uint64_t first = step_start + rank * batch;
  uint64_t valid = batch;
  uint64_t padded = 0;
  if (left < world * batch) {
    if (last == LastPolicy::kPad) {
      valid = first < n ? std::min(batch, n - first) : 0;
      padded = batch - valid;
    } else {
      const uint64_t share = left / world;
      const uint64_t longer = left % world;  // this many ranks, the first ones, get one row more
      first = step_start + rank * share + std::min(rank, longer);
      valid = share + (rank < longer ? 1 : 0);
      padded = valid == 0 ? 1 : 0;
    }
  }
  return {.first = first % n, .valid = static_cast<uint32_t>(valid), .padded = static_cast<uint32_t>(padded)};
}

uint64_t Shard::PositionAfter(uint64_t steps) const {
  return steps < Steps() ? start + steps * world * batch : n;
}

}  // namespace bucketline
