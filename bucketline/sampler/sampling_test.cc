#include "bucketline/sampler/sampling.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(DrawWithReplacement, IsTheSameInEveryVersion) {
  std::vector<uint64_t> drawn;
  for (uint64_t position = 0; position < 6; ++position)
    drawn.push_back(DrawWithReplacement(1000, 5, 1, position));
  EXPECT_EQ(drawn, (std::vector<uint64_t>{818, 164, 773, 825, 728, 634}));
}

TEST(DrawWithReplacement, GivesEachRecordEquallyOften) {
  constexpr uint64_t kRecords = 50;
  constexpr uint64_t kDraws = 50000;
  std::vector<uint64_t> count(kRecords);
  for (uint64_t position = 0; position < kDraws; ++position)
    ++count.at(DrawWithReplacement(kRecords, 1, 2, position));
  double chi_square = 0;
  for (const uint64_t seen : count) chi_square += std::pow(static_cast<double>(seen) - 1000, 2) / 1000;
  EXPECT_LT(chi_square, 85);  // 49 degrees of freedom: one in a thousand is above
  EXPECT_GT(chi_square, 24);
}

TEST(DrawWithReplacement, DependsOnSeedAndEpoch) {
  int same = 0;
  for (uint64_t position = 0; position < 1000; ++position) {
    const uint64_t drawn = DrawWithReplacement(1000000, 1, 1, position);
    same += drawn == DrawWithReplacement(1000000, 2, 1, position);
    same += drawn == DrawWithReplacement(1000000, 1, 2, position);
  }
  EXPECT_LE(same, 2);
}

}  // namespace
}  // namespace bucketline
