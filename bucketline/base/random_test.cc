#include "bucketline/base/random.h"

#include <bit>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

// Chi-squared of `counts` against equal expectations, as standard deviations from its mean.
double Deviation(const std::vector<int>& counts) {
  double total = 0;
  for (const int count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double chi_squared = 0;
  for (const int count : counts) chi_squared += (count - expected) * (count - expected) / expected;
  const double degrees = static_cast<double>(counts.size()) - 1;
  return (chi_squared - degrees) / std::sqrt(2 * degrees);
}

// Orders and augmentations of past runs rest on these values: they must never change.
TEST(CounterRng, DrawsAreTheseForEver) {
  CounterRng zero(0, 0, 0);
  EXPECT_EQ(zero.NextU64(), 0x9ce9044cf4430b33u);
  EXPECT_EQ(zero.NextU64(), 0x7505f249b38b57fau);
  EXPECT_EQ(zero.NextU64(), 0x60b1a5730fa7e2cfu);
  CounterRng some(1, 2, 3);
  EXPECT_EQ(some.NextU64(), 0x3064c53251b62548u);
  EXPECT_EQ(some.NextDouble(), 0.6360879145260185);
  EXPECT_EQ(some.NextBelow(1000), 550u);
  CounterRng largest(UINT64_MAX, UINT64_MAX, UINT64_MAX);
  EXPECT_EQ(largest.NextU64(), 0x98112b29bad7d8a7u);
}

TEST(CounterRng, IsKnownAtCompileTime) {
  static_assert(CounterRng(0, 0, 0).NextU64() == 0x9ce9044cf4430b33u);
}

// SplitMix64's published first outputs for seed 0.
TEST(Mix64, IsTheFinaliserOfSplitMix64) {
  EXPECT_EQ(Mix64(0x9e3779b97f4a7c15u), 0xe220a8397b1dcdafu);
  EXPECT_EQ(Mix64(2 * 0x9e3779b97f4a7c15u), 0x6e789e6aa1b965f4u);
  EXPECT_EQ(Mix64(3 * 0x9e3779b97f4a7c15u), 0x06c45d188009454fu);
}

TEST(Mix64, OneBitOfInputFlipsHalfOfTheOutput) {
  double flipped = 0;
  int pairs = 0;
  for (uint64_t x = 1; x <= 200; ++x) {
    for (int bit = 0; bit < 64; ++bit, ++pairs) flipped += std::popcount(Mix64(x) ^ Mix64(x ^ (1ull << bit)));
  }
  EXPECT_NEAR(flipped / pairs, 32, 0.5);
}

TEST(CounterRng, DoublesAreUniformBelowOne) {
  CounterRng rng(7, 0, 0);
  std::vector<int> counts(100);
  for (int i = 0; i < 100000; ++i) {
    const double value = rng.NextDouble();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++counts[static_cast<size_t>(value * 100)];
  }
  EXPECT_LT(std::abs(Deviation(counts)), 4);
}

TEST(CounterRng, IntegersAreUniformBelowTheirBound) {
  for (const uint64_t n : {1u, 2u, 7u, 100u}) {
    CounterRng rng(8, 0, n);
    std::vector<int> counts(n);
    for (int i = 0; i < 70000; ++i) {
      const uint64_t value = rng.NextBelow(n);
      ASSERT_LT(value, n);
      ++counts[value];
    }
    if (n > 1) {
      EXPECT_LT(Deviation(counts), 4) << n;
    }
  }
  CounterRng rng(8, 1, 0);
  const uint64_t huge = (1ull << 63) + 1;
  for (int i = 0; i < 1000; ++i) ASSERT_LT(rng.NextBelow(huge), huge);
}

// Neighbouring seeds, epochs and positions: the first draws of their streams must be as uniform as one
// stream's, and pairs of them must fill the square.
TEST(CounterRng, NeighbouringStreamsAreIndependent) {
  const auto first_draw = [](int axis, uint64_t i) {
    return CounterRng(axis == 0 ? i : 5, axis == 1 ? i : 5, axis == 2 ? i : 5).NextDouble();
  };
  for (int axis = 0; axis < 3; ++axis) {
    std::vector<int> line(100);
    std::vector<int> square(100);
    for (uint64_t i = 0; i < 50000; ++i) {
      const double here = first_draw(axis, i);
      const double next = first_draw(axis, i + 1);
      ++line[static_cast<size_t>(here * 100)];
      ++square[static_cast<size_t>(here * 10) * 10 + static_cast<size_t>(next * 10)];
    }
    EXPECT_LT(std::abs(Deviation(line)), 4) << axis;
    EXPECT_LT(std::abs(Deviation(square)), 4) << axis;
  }
}

TEST(CounterRng, SeedEpochAndPositionDoNotStandInForEachOther) {
  const uint64_t draw = CounterRng(1, 2, 3).NextU64();
  EXPECT_NE(draw, CounterRng(2, 1, 3).NextU64());
  EXPECT_NE(draw, CounterRng(1, 3, 2).NextU64());
  EXPECT_NE(draw, CounterRng(3, 2, 1).NextU64());
  EXPECT_EQ(draw, CounterRng(1, 2, 3).NextU64());
}

}  // namespace
}  // namespace bucketline
