#include "bucketline/image/resize_weights.h"

#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr int32_t kOne = 1 << kWeightBits;

PillowWeights Pillow(const AxisPlan& axis, bool antialias = true, bool reverse = false) {
  std::vector<double> scratch;
  PillowWeights weights;
  BuildPillowWeights(axis, antialias, reverse, &scratch, &weights);
  return weights;
}

TensorflowWeights Tensorflow(const AxisPlan& axis, bool antialias, bool reverse = false) {
  std::vector<double> scratch;
  TensorflowWeights weights;
  BuildTensorflowWeights(axis, antialias, reverse, &scratch, &weights);
  return weights;
}

// The weight of every source pixel for every output, [output][source].
template <typename T>
std::vector<std::vector<double>> Dense(const AxisWeights<T>& weights, int source, double one) {
  std::vector<std::vector<double>> rows;
  for (int i = 0; i < weights.size; ++i) {
    std::vector<double> row(static_cast<size_t>(source));
    for (int t = 0; t < weights.taps; ++t) {
      const int at = weights.begin + weights.start[static_cast<size_t>(i)] + t;
      row.at(static_cast<size_t>(at)) += weights.WeightsOf(i)[t] / one;
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(ResizeWeightsTest, SameSizeIsOneTapOfOne) {
  for (const bool antialias : {true, false}) {
    const PillowWeights pillow = Pillow({3, 5, 5, 0, 5}, antialias);
    EXPECT_EQ(pillow.taps, 1);
    EXPECT_EQ(pillow.begin, 3);
    EXPECT_EQ(pillow.end, 8);
    EXPECT_THAT(pillow.start, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(pillow.last, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(pillow.weight, ::testing::Contains(kOne));
    const TensorflowWeights tensorflow = Tensorflow({3, 5, 5, 0, 5}, antialias);
    EXPECT_EQ(tensorflow.taps, 1);
    EXPECT_THAT(tensorflow.start, ElementsAre(0, 1, 2, 3, 4));
  }
}

TEST(ResizeWeightsTest, HalvingByHand) {
  // Centre 2 of the second output, a triangle two pixels wide on each side: 1/4 and 3/4, normalised.
  const auto rows = Dense(Pillow({0, 6, 3, 0, 3}), 6, kOne);
  EXPECT_THAT(rows[1],
              ElementsAre(0, ::testing::DoubleNear(0.125, 1e-6), ::testing::DoubleNear(0.375, 1e-6),
                          ::testing::DoubleNear(0.375, 1e-6), ::testing::DoubleNear(0.125, 1e-6), 0));
  const auto plain = Dense(Pillow({0, 6, 3, 0, 3}, false), 6, kOne);
  EXPECT_THAT(plain[1], ElementsAre(0, 0, 0.5, 0.5, 0, 0));
}

TEST(ResizeWeightsTest, DoublingClampsAtTheEdges) {
  for (const bool antialias : {true, false}) {
    const auto rows = Dense(Tensorflow({0, 2, 4, 0, 4}, antialias), 2, 1);
    EXPECT_THAT(rows, ElementsAre(ElementsAre(1, 0), ElementsAre(0.75, 0.25), ElementsAre(0.25, 0.75),
                                  ElementsAre(0, 1)));
    EXPECT_EQ(Dense(Pillow({0, 2, 4, 0, 4}, antialias), 2, kOne), rows);
  }
}

struct Case {
  int source;
  int resized;
};

class ResizeWeightsPropertyTest : public ::testing::TestWithParam<Case> {};

TEST_P(ResizeWeightsPropertyTest, SumToOneStayInsideAndMoveForward) {
  const auto [source, resized] = GetParam();
  const AxisPlan axis{10, source, resized, 0, resized};
  const auto check = [&](const auto& weights, double one, double tolerance) {
    EXPECT_GE(weights.begin, 10);
    EXPECT_LE(weights.end, 10 + source);
    EXPECT_LE(weights.taps, MaxTaps(source, resized));
    int previous_start = 0;
    int previous_last = 0;
    for (int i = 0; i < resized; ++i) {
      const int start = weights.start[static_cast<size_t>(i)];
      const int last = weights.last[static_cast<size_t>(i)];
      EXPECT_GE(start, previous_start);
      EXPECT_GE(last, previous_last);
      EXPECT_LE(start + weights.taps, weights.end - weights.begin);
      EXPECT_LT(last, start + weights.taps);
      EXPECT_GE(last, start);
      double sum = 0;
      for (int t = 0; t < weights.taps; ++t) sum += weights.WeightsOf(i)[t];
      EXPECT_NEAR(sum / one, 1, tolerance);
      for (int t = last - start + 1; t < weights.taps; ++t) EXPECT_EQ(weights.WeightsOf(i)[t], 0);
      previous_start = start;
      previous_last = last;
    }
  };
  for (const bool antialias : {true, false}) {
    check(Pillow(axis, antialias), kOne, MaxTaps(source, resized) * 0.5 / kOne + 1e-9);
    check(Tensorflow(axis, antialias), 1, 1e-5);
  }
}

TEST_P(ResizeWeightsPropertyTest, AReversedAxisIsTheAxisBackwards) {
  const auto [source, resized] = GetParam();
  const AxisPlan axis{0, source, resized, 0, resized};
  for (const bool antialias : {true, false}) {
    auto rows = Dense(Pillow(axis, antialias, true), source, kOne);
    std::reverse(rows.begin(), rows.end());
    EXPECT_EQ(rows, Dense(Pillow(axis, antialias), source, kOne));
    auto floats = Dense(Tensorflow(axis, antialias, true), source, 1);
    std::reverse(floats.begin(), floats.end());
    EXPECT_EQ(floats, Dense(Tensorflow(axis, antialias), source, 1));
  }
}

TEST_P(ResizeWeightsPropertyTest, PartOfTheOutputsHasTheWeightsOfTheWhole) {
  const auto [source, resized] = GetParam();
  if (resized < 3) return;
  const auto whole = Dense(Pillow({0, source, resized, 0, resized}), source, kOne);
  const auto part = Dense(Pillow({0, source, resized, 1, resized - 2}), source, kOne);
  for (size_t i = 0; i < part.size(); ++i) EXPECT_EQ(part[i], whole[i + 1]);
}

INSTANTIATE_TEST_SUITE_P(Sizes, ResizeWeightsPropertyTest,
                         ::testing::Values(Case{1, 1}, Case{1, 7}, Case{7, 1}, Case{500, 224}, Case{224, 500},
                                           Case{375, 256}, Case{3, 1000}, Case{9000, 3}, Case{225, 224},
                                           Case{4096, 1024}));

TEST(ResizeWeightsTest, PairsHoldTheSameWeights) {
  PillowWeights weights = Pillow({0, 500, 224, 0, 224});
  EXPECT_THAT(weights.pairs, ::testing::IsEmpty());
  PackWeightPairs(&weights);
  const int per_output = (weights.taps + 1) / 2;
  ASSERT_EQ(weights.pairs.size(), static_cast<size_t>(2 * per_output * 224));
  for (int i = 0; i < 224; ++i) {
    for (int t = 0; t < weights.taps; ++t) {
      const int32_t* words = weights.pairs.data() + 2 * (i * per_output + t / 2);
      const auto half = [&](int word) { return t % 2 == 0 ? words[word] & 0xffff : words[word] >> 16; };
      EXPECT_EQ(half(0) + (half(1) << kPairBits), weights.WeightsOf(i)[t]);
    }
  }
}

TEST(ResizeWeightsTest, OnlyWhatIsUsedIsAsked) {
  const PillowWeights weights = Pillow({0, 400, 100, 40, 20});  // output 40 is centred on 162, support 4
  EXPECT_EQ(weights.begin, 158);
  EXPECT_EQ(weights.end, 242);
}

}  // namespace
}  // namespace bucketline
