#include "bucketline/sampler/permutation.h"

#include <algorithm>
#include <bit>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

// In a smaller network the rounds do not reach every order of a few records equally often.
constexpr int kLeastLowBits = 3;
constexpr uint64_t kLeastRows = 8;

}  // namespace

Permutation::Permutation(uint64_t n, uint64_t seed, uint64_t epoch) : n_(n) {
  if (n == 0)
    throw Error(ErrorCode::kInvalidArgument, "an epoch needs at least one record to be put in order");
  low_bits_ = std::max(kLeastLowBits, static_cast<int>(std::bit_width(n - 1)) / 2);
  low_mask_ = (uint64_t{1} << low_bits_) - 1;
  rows_ = std::max(kLeastRows, ((n - 1) >> low_bits_) + 1);
  // Samples draw from streams at their positions; ~n is never a position, so the keys share no stream with
  // them.
  CounterRng rng(seed, epoch, ~n);
  for (uint64_t& key : keys_) key = rng.NextU64();
}

uint64_t Permutation::HighTerm(uint64_t low, int round) const {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(Mix64(low ^ keys_[round])) * rows_) >> 64);
}

uint64_t Permutation::LowTerm(uint64_t high, int round) const {
  return Mix64(high ^ keys_[round]) & low_mask_;
}

uint64_t Permutation::Forward(uint64_t x) const {
  uint64_t low = x & low_mask_;
  uint64_t high = x >> low_bits_;
  for (int round = 0; round < kRounds; round += 2) {
    high += HighTerm(low, round);
    high -= high >= rows_ ? rows_ : 0;
    low ^= LowTerm(high, round + 1);
  }
  return high << low_bits_ | low;
}

uint64_t Permutation::Backward(uint64_t x) const {
  uint64_t low = x & low_mask_;
  uint64_t high = x >> low_bits_;
  for (int round = kRounds - 2; round >= 0; round -= 2) {
    low ^= LowTerm(high, round + 1);
    const uint64_t term = HighTerm(low, round);
    high += high < term ? rows_ : 0;
    high -= term;
  }
  return high << low_bits_ | low;
}

// The cycle that a position lies on comes back into [0, n) at the latest in that position, so both walks end.
uint64_t Permutation::At(uint64_t position) const {
  uint64_t x = position;
  do x = Forward(x);
  while (x >= n_);
  return x;
}

uint64_t Permutation::PositionOf(uint64_t index) const {
  uint64_t x = index;
  do x = Backward(x);
  while (x >= n_);
  return x;
}

}  // namespace bucketline
