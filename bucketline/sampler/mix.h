// Mix: an order in which several runs of records come in the proportions of their weights.
#pragma once

#include <cstdint>
#include <vector>

namespace bucketline {

// Records that follow each other in the numbering, and how often they come.
struct MixPart {
  uint64_t records = 0;  // at least 1
  uint64_t weight = 1;   // at least 1
  friend bool operator==(const MixPart&, const MixPart&) = default;
};

// Positions are counted on from epoch to epoch. With W the sum of the weights, every W of them from a multiple of W on have
// as many of each part as its weight says, in an order of their own. A part goes through its records in a random order
// and then through another one: none comes a second time before all have come once. Holds a few bytes a part; the same
// on every platform and in every version (saved runs rest on it). A value; thread-safe.
class Mix {
 public:
  static constexpr uint64_t kMaxWeights = uint64_t{1} << 32;  // together

  // Part i has the records from the end of part i - 1 on. `epoch_size` positions make an epoch. Throws kInvalidArgument: no
  // parts, a part without records or of weight 0, weights above kMaxWeights, epoch_size is 0.
  Mix(const std::vector<MixPart>& parts, uint64_t epoch_size, uint64_t seed);

  // The record at a position. Precondition: position < epoch_size.
  uint64_t At(uint64_t epoch, uint64_t position) const;

  // Tells mixes apart by their parts, in their order. Never 0.
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  struct Part {
    uint64_t first_record;
    uint64_t records;
    uint64_t first_slot;  // of those in a round
    uint64_t weight;
  };
  std::vector<Part> parts_;
  uint64_t slots_ = 0;  // of a round: the weights together
  uint64_t epoch_size_;
  uint64_t seed_;
  uint64_t fingerprint_ = 0;
};

}  // namespace bucketline
