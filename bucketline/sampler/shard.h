// Shard: which positions of an epoch one rank sees at each step, under each policy for the end of the epoch.
#pragma once

#include <cstdint>

namespace bucketline {

enum class LastPolicy {
  kDrop,     // the tail that does not fill a step of all ranks is left out
  kPartial,  // the tail is split over the ranks as evenly as possible; a rank without a row gets one padded
             // row
  kPad,      // the tail is filled from the start of the epoch
};

// The rows of one rank's batch at one step.
struct StepSlice {
  uint64_t first = 0;   // position of row 0, below n; row i has position first + i, modulo n
  uint32_t valid = 0;   // rows that are part of the epoch
  uint32_t padded = 0;  // rows after those that only fill up; their position is first + valid + i, modulo n
};

// The rule of steps and ranks. Step s takes the next world * batch positions, rank r the r-th contiguous
// block. `start` is where a restored state stands: the positions [start, n) are dealt anew from step 0. A
// value; pure; thread-safe. All ranks make Steps() steps; over valid rows they are disjoint and, with
// kPartial and kPad, cover [start, n) exactly.
struct Shard {
  // Wide enough for anything real, narrow enough that no sum below overflows.
  static constexpr uint64_t kMaxPositions = uint64_t{1} << 62;
  static constexpr uint64_t kMaxBatch = 0xffffffff;
  static constexpr uint64_t kMaxWorld = uint64_t{1} << 24;

  uint64_t n = 0;      // positions in the epoch
  uint64_t start = 0;  // 0..n
  uint64_t batch = 1;  // rows per rank
  uint64_t world = 1;
  uint64_t rank = 0;
  LastPolicy last = LastPolicy::kPartial;

  // Throws kInvalidArgument naming the field that is out of range. The others have a valid Shard as
  // precondition.
  void Validate() const;

  uint64_t Steps() const;

  // Precondition: step < Steps().
  StepSlice At(uint64_t step) const;

  // The first position that no rank has consumed after `steps` steps; n when no step is left (the tail that
  // kDrop leaves out is not dealt again).
  uint64_t PositionAfter(uint64_t steps) const;
};

}  // namespace bucketline
