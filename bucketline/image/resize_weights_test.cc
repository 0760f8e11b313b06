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

constexpr ResizeMethod kPlain = {Resize::kBilinear, false};
constexpr ResizeMethod kMethods[] = {{},
                                     kPlain,
                                     {Resize::kBicubic},
                                     {Resize::kBicubic, false},
                                     {Resize::kLanczos},
                                     {Resize::kArea},
                                     {Resize::kNearest}};

PillowWeights Pillow(const AxisPlan& axis, ResizeMethod method = {}, bool reverse = false) {
  std::vector<double> scratch;
  PillowWeights weights;
  BuildPillowWeights(axis, method, reverse, &scratch, &weights);
  return weights;
}

TensorflowWeights Tensorflow(const AxisPlan& axis, ResizeMethod method = {}, bool reverse = false) {
  std::vector<double> scratch;
  TensorflowWeights weights;
  BuildTensorflowWeights(axis, method, reverse, &scratch, &weights);
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
  for (const ResizeMethod method : kMethods) {
    const PillowWeights pillow = Pillow({3, 5, 5, 0, 5}, method);
    EXPECT_EQ(pillow.taps, 1);
    EXPECT_EQ(pillow.begin, 3);
    EXPECT_EQ(pillow.end, 8);
    EXPECT_THAT(pillow.start, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(pillow.last, ElementsAre(0, 1, 2, 3, 4));
    EXPECT_THAT(pillow.weight, ::testing::Contains(kOne));
    const TensorflowWeights tensorflow = Tensorflow({3, 5, 5, 0, 5}, method);
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
  const auto plain = Dense(Pillow({0, 6, 3, 0, 3}, kPlain), 6, kOne);
  EXPECT_THAT(plain[1], ElementsAre(0, 0, 0.5, 0.5, 0, 0));
}

TEST(ResizeWeightsTest, DoublingClampsAtTheEdges) {
  for (const ResizeMethod method : {ResizeMethod{}, kPlain}) {
    const auto rows = Dense(Tensorflow({0, 2, 4, 0, 4}, method), 2, 1);
    EXPECT_THAT(rows, ElementsAre(ElementsAre(1, 0), ElementsAre(0.75, 0.25), ElementsAre(0.25, 0.75),
                                  ElementsAre(0, 1)));
    EXPECT_EQ(Dense(Pillow({0, 2, 4, 0, 4}, method), 2, kOne), rows);
  }
}

struct Case {
  int source;
  int resized;
};

class ResizeWeightsPropertyTest : public ::testing::TestWithParam<Case> {};

TEST_P(ResizeWeightsPropertyTest, SumToOneStayInsideAndMoveForward) {
  const int source = GetParam().source;
  const int resized = GetParam().resized;
  const AxisPlan axis{10, source, resized, 0, resized};
  const auto check = [&](const auto& weights, int most, double one, double tolerance) {
    EXPECT_GE(weights.begin, 10);
    EXPECT_LE(weights.end, 10 + source);
    EXPECT_LE(weights.taps, most);
    int previous_start = 0;
    int previous_last = 0;
    for (int i = 0; i < resized; ++i) {
      const int start = weights.start[static_cast<size_t>(i)];
      const int last = weights.last[static_cast<size_t>(i)];
      EXPECT_GE(start, previous_start - 3);  // a cubic's zeros may be cut off at either end
      EXPECT_GE(last, previous_last - 3);
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
  for (const ResizeMethod method : kMethods) {
    const int most = MaxTaps(axis, method.filter);
    check(Pillow(axis, method), most, kOne, most * 0.5 / kOne + 1e-9);
    check(Tensorflow(axis, method), most, 1, 1e-4);
  }
}

TEST_P(ResizeWeightsPropertyTest, AReversedAxisIsTheAxisBackwards) {
  const auto [source, resized] = GetParam();
  const AxisPlan axis{0, source, resized, 0, resized};
  for (const ResizeMethod method : kMethods) {
    auto rows = Dense(Pillow(axis, method, true), source, kOne);
    std::reverse(rows.begin(), rows.end());
    EXPECT_EQ(rows, Dense(Pillow(axis, method), source, kOne));
    auto floats = Dense(Tensorflow(axis, method, true), source, 1);
    std::reverse(floats.begin(), floats.end());
    EXPECT_EQ(floats, Dense(Tensorflow(axis, method), source, 1));
  }
}

// What makes obeying an orientation exact: the mirrored image's weights, in the order of the source.
TEST_P(ResizeWeightsPropertyTest, AMirroredAxisIsTheMirroredSource) {
  const auto [source, resized] = GetParam();
  const AxisPlan axis{0, source, resized, 0, resized};
  AxisPlan mirrored = axis;
  mirrored.mirrored = true;
  for (const ResizeMethod method : kMethods) {
    auto rows = Dense(Pillow(mirrored, method), source, kOne);
    for (auto& row : rows) std::reverse(row.begin(), row.end());
    EXPECT_EQ(rows, Dense(Pillow(axis, method), source, kOne));
    auto floats = Dense(Tensorflow(mirrored, method), source, 1);
    for (auto& row : floats) std::reverse(row.begin(), row.end());
    EXPECT_EQ(floats, Dense(Tensorflow(axis, method), source, 1));
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

class ResizeWeightsPairTest : public ::testing::TestWithParam<Resize> {};

INSTANTIATE_TEST_SUITE_P(Filters, ResizeWeightsPairTest,
                         ::testing::Values(Resize::kBilinear, Resize::kBicubic, Resize::kLanczos));

TEST_P(ResizeWeightsPairTest, PairsHoldTheSameWeights) {
  PillowWeights weights = Pillow({0, 500, 224, 0, 224}, {GetParam()});
  EXPECT_THAT(weights.pairs, ::testing::IsEmpty());
  PackWeightPairs(&weights);
  const int per_output = (weights.taps + 1) / 2;
  ASSERT_EQ(weights.pairs.size(), static_cast<size_t>(2 * per_output * 224));
  for (int i = 0; i < 224; ++i) {
    for (int t = 0; t < weights.taps; ++t) {
      const int32_t* words = weights.pairs.data() + 2 * (i * per_output + t / 2);
      const auto half = [&](int word) {
        return static_cast<int16_t>(t % 2 == 0 ? words[word] & 0xffff : words[word] >> 16);
      };
      EXPECT_EQ(half(0) + half(1) * (1 << kPairBits), weights.WeightsOf(i)[t]);
    }
  }
}

TEST(ResizeWeightsTest, OnlyWhatIsUsedIsAsked) {
  const PillowWeights weights = Pillow({0, 400, 100, 40, 20});  // output 40 is centred on 162, support 4
  EXPECT_EQ(weights.begin, 158);
  EXPECT_EQ(weights.end, 242);
}

TEST(ResizeWeightsTest, CubicsHaveNegativeLobes) {
  for (const Resize filter : {Resize::kBicubic, Resize::kLanczos}) {
    const auto rows = Dense(Pillow({0, 20, 40, 0, 40}, {filter}), 20, kOne);
    EXPECT_LT(*std::min_element(rows[20].begin(), rows[20].end()), -0.01);
  }
}

TEST(ResizeWeightsTest, TorchvisionsCubicRepeatsTheEdge) {
  // Position -0.25 between pixels -1 and 0, a = -0.75: what lies outside is pixel 0.
  const auto rows = Dense(Pillow({0, 4, 8, 0, 8}, {Resize::kBicubic, false}), 4, kOne);
  EXPECT_NEAR(rows[0][0], 1.10546875, 1e-6);
  EXPECT_NEAR(rows[0][1], -0.10546875, 1e-6);
}

TEST(ResizeWeightsTest, TensorflowsAreaCountsParts) {
  const auto rows = Dense(Tensorflow({0, 3, 2, 0, 2}, {Resize::kArea}), 3, 1);
  using ::testing::DoubleNear;
  EXPECT_THAT(rows[0], ElementsAre(DoubleNear(2.0 / 3, 1e-6), DoubleNear(1.0 / 3, 1e-6), 0));
  EXPECT_THAT(Dense(Pillow({0, 4, 2, 0, 2}, {Resize::kArea}), 4, kOne)[1], ElementsAre(0, 0, 0.5, 0.5));
}

TEST(ResizeWeightsTest, NearestTakesOnePixel) {
  EXPECT_THAT(Pillow({0, 10, 4, 0, 4}, {Resize::kNearest}).start, ElementsAre(0, 2, 5, 7));
  EXPECT_THAT(Tensorflow({0, 10, 4, 0, 4}, {Resize::kNearest}).begin, 1);
  EXPECT_THAT(Pillow({5, 2, 4, 0, 4}, {Resize::kNearest}, true).start, ElementsAre(1, 1, 0, 0));
}

TEST(ResizeWeightsTest, AnInsetMovesTheBox) {
  AxisPlan axis{0, 8, 4, 0, 4};
  axis.inset = 2;
  axis.extent = 4;
  const AxisPlan cut{2, 4, 4, 0, 4};
  for (const ResizeMethod method : {ResizeMethod{}, ResizeMethod{Resize::kNearest}}) {
    EXPECT_EQ(Dense(Pillow(axis, method), 8, kOne), Dense(Pillow(cut, method), 8, kOne));
    EXPECT_EQ(Dense(Tensorflow(axis, method), 8, 1), Dense(Tensorflow(cut, method), 8, 1));
  }
}

}  // namespace
}  // namespace bucketline
