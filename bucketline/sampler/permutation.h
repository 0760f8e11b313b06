// Permutation: the order of one epoch, without an array.
#pragma once

#include <cstdint>

namespace bucketline {

// A keyed bijection of [0, n): a Feistel network with cycle walking. O(1) time and memory, the same on every platform
// and in every version (the order of a saved run rests on it). A value; thread-safe.
class Permutation {
 public:
  // n >= 1. Different (seed, epoch) give independent orders.
  Permutation(uint64_t n, uint64_t seed, uint64_t epoch);

  uint64_t n() const { return n_; }

  // Precondition: position < n().
  uint64_t At(uint64_t position) const;

  // At(PositionOf(index)) == index.
  uint64_t PositionOf(uint64_t index) const;

 private:
  static constexpr int kRounds = 6;
  uint64_t n_;
  int half_bits_;       // the network works on 2 * half_bits_ bits, the least even count that holds n - 1
  uint64_t half_mask_;
  uint64_t keys_[kRounds];
};

}  // namespace bucketline
