#include "bucketline/sampler/permutation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<uint64_t> Order(const Permutation& permutation) {
  std::vector<uint64_t> order(permutation.n());
  for (uint64_t position = 0; position < order.size(); ++position) order[position] = permutation.At(position);
  return order;
}

// Chi-square of `counts` against equal expectations, as a distance from its mean in standard deviations.
double ChiSquareSigmas(const std::vector<uint64_t>& counts) {
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), uint64_t{0}));
  const double expected = total / static_cast<double>(counts.size());
  double chi_square = 0;
  for (const uint64_t count : counts)
    chi_square += std::pow(static_cast<double>(count) - expected, 2) / expected;
  const double freedom = static_cast<double>(counts.size() - 1);
  return (chi_square - freedom) / std::sqrt(2 * freedom);
}

double Correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double size = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / size;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / size;
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

TEST(Permutation, IsABijectionForEverySmallSize) {
  std::vector<bool> seen;
  for (uint64_t n = 1; n <= 2048; ++n) {
    const Permutation permutation(n, /*seed=*/7 * n, /*epoch=*/n % 5);
    seen.assign(n, false);
    for (uint64_t position = 0; position < n; ++position) {
      const uint64_t index = permutation.At(position);
      ASSERT_LT(index, n);
      ASSERT_FALSE(seen[index]) << "n " << n << " position " << position;
      seen[index] = true;
      ASSERT_EQ(permutation.PositionOf(index), position) << "n " << n;
    }
  }
}

TEST(Permutation, InvertsForLargeSizes) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> sizes = {uint64_t{1} << 32,          (uint64_t{1} << 32) + 1, uint64_t{1} << 40,
                                 (uint64_t{1} << 40) - 1,    (uint64_t{1} << 63) + 1, ~uint64_t{0},
                                 (uint64_t{1} << 63) + 12345};
  for (int i = 0; i < 200; ++i) sizes.push_back(1 + random() % (uint64_t{1} << (1 + random() % 48)));
  for (const uint64_t n : sizes) {
    const Permutation permutation(n, random(), random());
    EXPECT_EQ(permutation.n(), n);
    for (int i = 0; i < 200; ++i) {
      const uint64_t position = i == 0 ? 0 : i == 1 ? n - 1 : random() % n;
      const uint64_t index = permutation.At(position);
      ASSERT_LT(index, n);
      ASSERT_EQ(permutation.PositionOf(index), position) << "n " << n;
      ASSERT_EQ(permutation.At(permutation.PositionOf(position)), position) << "n " << n;
    }
  }
}

// A state saved years ago must give the rest of its epoch: these values never change.
TEST(Permutation, OrderIsPinnedForever) {
  EXPECT_THAT(Order(Permutation(10, 0, 0)), ElementsAre(7, 1, 5, 8, 9, 3, 2, 4, 0, 6));
  EXPECT_THAT(Order(Permutation(10, 0, 1)), ElementsAre(0, 6, 3, 5, 2, 9, 1, 4, 8, 7));
  EXPECT_THAT(Order(Permutation(20, 42, 3)),
              ElementsAre(12, 9, 0, 18, 3, 1, 13, 8, 15, 16, 4, 14, 19, 5, 11, 10, 2, 6, 7, 17));
  const Permutation imagenet(1281167, 1234, 89);
  EXPECT_THAT(
      (std::vector<uint64_t>{imagenet.At(0), imagenet.At(1), imagenet.At(640000), imagenet.At(1281166)}),
      ElementsAre(389543, 538978, 1130111, 545125));
  const Permutation huge(uint64_t{1} << 40, ~uint64_t{0}, ~uint64_t{0});
  EXPECT_THAT((std::vector<uint64_t>{huge.At(0), huge.At(1), huge.At((uint64_t{1} << 40) - 1)}),
              ElementsAre(1030216219705, 469157203990, 767726427514));
}

TEST(Permutation, DependsOnSeedEpochAndSize) {
  const std::vector<uint64_t> order = Order(Permutation(1000, 1, 1));
  EXPECT_EQ(order, Order(Permutation(1000, 1, 1)));
  EXPECT_NE(order, Order(Permutation(1000, 2, 1)));
  EXPECT_NE(order, Order(Permutation(1000, 1, 2)));
  EXPECT_NE(Order(Permutation(1000, 2, 1)), Order(Permutation(1000, 1, 2)));
  std::vector<uint64_t> shorter = Order(Permutation(999, 1, 1));
  const auto agreeing = [&] {
    size_t count = 0;
    for (size_t i = 0; i < shorter.size(); ++i) count += order[i] == shorter[i];
    return count;
  }();
  EXPECT_LT(agreeing, 15u);
}

TEST(Permutation, EveryOrderOfAFewRecordsIsEquallyLikely) {
  for (const uint64_t n : {2, 3, 4, 5}) {
    std::map<std::vector<uint64_t>, uint64_t> counts;
    uint64_t orders = 1;
    for (uint64_t i = 2; i <= n; ++i) orders *= i;
    for (uint64_t epoch = 0; epoch < orders * 500; ++epoch) ++counts[Order(Permutation(n, 3, epoch))];
    ASSERT_EQ(counts.size(), orders);
    std::vector<uint64_t> flat;
    for (const auto& [order, count] : counts) flat.push_back(count);
    EXPECT_LT(ChiSquareSigmas(flat), 5) << "n " << n;
  }
}

TEST(Permutation, EveryRecordIsEquallyLikelyAtEveryPosition) {
  constexpr uint64_t kSize = 23;
  std::vector<uint64_t> counts(kSize * kSize);
  for (uint64_t epoch = 0; epoch < 20000; ++epoch) {
    const Permutation permutation(kSize, 11, epoch);
    for (uint64_t position = 0; position < kSize; ++position) {
      ++counts[position * kSize + permutation.At(position)];
    }
  }
  EXPECT_LT(std::abs(ChiSquareSigmas(counts)), 5);
}

// Where the records of one epoch stand in the next: the displacement, modulo n, is uniform.
TEST(Permutation, NextEpochDisplacesUniformly) {
  constexpr uint64_t kSize = 100003;
  constexpr uint64_t kBins = 256;
  for (uint64_t epoch = 0; epoch < 8; ++epoch) {
    const Permutation now(kSize, 5, epoch);
    const Permutation next(kSize, 5, epoch + 1);
    std::vector<uint64_t> counts(kBins);
    for (uint64_t position = 0; position < kSize; ++position) {
      const uint64_t later = next.PositionOf(now.At(position));
      ++counts[(later + kSize - position) % kSize * kBins / kSize];
    }
    EXPECT_LT(std::abs(ChiSquareSigmas(counts)), 5) << "epoch " << epoch;
  }
}

TEST(Permutation, NeighboursAndEpochsAndSeedsAreUncorrelated) {
  constexpr uint64_t kSize = 100003;
  const auto values = [](uint64_t seed, uint64_t epoch, uint64_t shift) {
    const Permutation permutation(kSize, seed, epoch);
    std::vector<double> order(kSize);
    for (uint64_t i = 0; i < kSize; ++i) order[i] = static_cast<double>(permutation.At((i + shift) % kSize));
    return order;
  };
  const double five_sigmas = 5 / std::sqrt(static_cast<double>(kSize));
  const std::vector<double> order = values(9, 4, 0);
  std::vector<double> identity(kSize);
  std::iota(identity.begin(), identity.end(), 0.0);
  EXPECT_LT(std::abs(Correlation(order, identity)), five_sigmas);
  for (const uint64_t lag : {1, 2, 3, 64, 256, 1024}) {
    EXPECT_LT(std::abs(Correlation(order, values(9, 4, lag))), five_sigmas) << "lag " << lag;
  }
  EXPECT_LT(std::abs(Correlation(order, values(9, 5, 0))), five_sigmas);
  EXPECT_LT(std::abs(Correlation(order, values(10, 4, 0))), five_sigmas);
}

TEST(Permutation, EmptyEpochIsAnError) {
  try {
    Permutation(0, 1, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("at least one record"));
  }
}

}  // namespace
}  // namespace bucketline
