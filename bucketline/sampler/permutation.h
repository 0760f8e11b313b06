// Permutation: the order of one epoch, without an array.
#pragma once

#include <cstdint>

namespace bucketline {

// A keyed bijection of [0, n): a Feistel network with cycle walking. O(1) time and memory, the same on every
// platform and in every version (the order of a saved run rests on it). A value; thread-safe.
class Permutation {
 public:
  // n >= 1, else throws kInvalidArgument. Different (n, seed, epoch) give independent orders.
  Permutation(uint64_t n, uint64_t seed, uint64_t epoch);

  uint64_t n() const { return n_; }

  // Precondition: position < n().
  uint64_t At(uint64_t position) const;

  // At(PositionOf(index)) == index. Precondition: index < n().
  uint64_t PositionOf(uint64_t index) const;

 private:
  static constexpr int kRounds = 6;

  // One walk through the network and back: bijections of [0, rows_ << low_bits_), inverse to each other.
  uint64_t Forward(uint64_t x) const;
  uint64_t Backward(uint64_t x) const;

  // Added to the high half, and flipped in the low half, in a round.
  uint64_t HighTerm(uint64_t low, int round) const;
  uint64_t LowTerm(uint64_t high, int round) const;

  uint64_t n_;
  // A number is a low half of low_bits_ bits and a high half below rows_. The high half needs no power of
  // two, so the network covers hardly more than [0, n) and a second walk is rare.
  int low_bits_;
  uint64_t low_mask_;
  uint64_t rows_;
  uint64_t keys_[kRounds];
};

}  // namespace bucketline
