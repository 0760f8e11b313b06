// Counter-based random numbers: a pure function of (seed, epoch, position, draw), never of threads or time.
#pragma once

#include <cstdint>

namespace bucketline {

// SplitMix64's finaliser: a bijection of 64 bits with full avalanche.
constexpr uint64_t Mix64(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ull;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebull;
  x ^= x >> 31;
  return x;
}

// A stream of draws for one sample. Two streams with different keys are independent.
class CounterRng {
 public:
  constexpr CounterRng(uint64_t seed, uint64_t epoch, uint64_t position)
      : key_(Mix64(Mix64(Mix64(seed + kGolden) ^ (epoch + kGolden)) ^ (position + kGolden))) {}

  constexpr uint64_t NextU64() { return Mix64(key_ + kGolden * ++draw_); }

  // Uniform in [0, 1) with 53 random bits.
  constexpr double NextDouble() { return static_cast<double>(NextU64() >> 11) * 0x1.0p-53; }

  // Uniform in [0, n); n > 0. The bias is below n / 2^64.
  constexpr uint64_t NextBelow(uint64_t n) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(NextU64()) * n) >> 64);
  }

 private:
  static constexpr uint64_t kGolden = 0x9e3779b97f4a7c15ull;
  uint64_t key_;
  uint64_t draw_ = 0;
};

}  // namespace bucketline
