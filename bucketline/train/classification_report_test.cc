#include "bucketline/train/classification_report.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;

// The definition, pair by pair.
double AreaByPairs(const std::vector<float>& scores, const std::vector<uint8_t>& positive) {
  double won = 0, pairs = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    for (size_t j = 0; j < scores.size(); ++j) {
      if (!positive[i] || positive[j]) continue;
      ++pairs;
      won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return won / pairs;
}

TEST(AreaUnderCurve, KnownValues) {
  EXPECT_EQ(AreaUnderCurve(std::vector<float>{0.1f, 0.4f, 0.35f, 0.8f}, std::vector<uint8_t>{0, 0, 1, 1}),
            0.75);
  EXPECT_EQ(AreaUnderCurve(std::vector<float>{1, 2, 3}, std::vector<uint8_t>{0, 0, 1}), 1);
  EXPECT_EQ(AreaUnderCurve(std::vector<float>{1, 2, 3}, std::vector<uint8_t>{1, 0, 0}), 0);
  EXPECT_EQ(AreaUnderCurve(std::vector<float>{5, 5, 5, 5}, std::vector<uint8_t>{1, 0, 1, 0}), 0.5);
}

TEST(AreaUnderCurve, EqualsTheDefinitionOnRandomScoresWithTies) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    CounterRng rng(seed, 0, 0);
    std::vector<float> scores;
    std::vector<uint8_t> positive = {0, 1};
    const uint64_t rows = 2 + rng.NextBelow(60), levels = 1 + rng.NextBelow(20);
    for (uint64_t i = 0; i < rows; ++i) scores.push_back(static_cast<float>(rng.NextBelow(levels)) - 3);
    while (positive.size() < rows) positive.push_back(rng.NextBelow(3) == 0);
    EXPECT_DOUBLE_EQ(AreaUnderCurve(scores, positive), AreaByPairs(scores, positive)) << seed;
  }
}

TEST(AreaUnderCurve, OneKindAloneHasNone) {
  EXPECT_TRUE(std::isnan(AreaUnderCurve(std::vector<float>{1, 2}, std::vector<uint8_t>{1, 1})));
  EXPECT_TRUE(std::isnan(AreaUnderCurve(std::vector<float>{1, 2}, std::vector<uint8_t>{0, 0})));
  EXPECT_TRUE(std::isnan(AreaUnderCurve({}, {})));
}

TEST(AreaUnderCurve, InfiniteScoresAreOrderedAndNaNIsRefused) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(AreaUnderCurve(std::vector<float>{-infinity, 0, infinity}, std::vector<uint8_t>{0, 0, 1}), 1);
  EXPECT_THROW(AreaUnderCurve(std::vector<float>{std::nanf(""), 0}, std::vector<uint8_t>{0, 1}), Error);
}

TEST(ClassificationReport, OfThreeClasses) {
  const Predictions predictions{.classes = 3,
                                .indices = {0, 1, 2, 3, 4, 5},
                                .labels = {0, 0, 0, 1, 1, 2},
                                .predicted = {0, 0, 1, 1, 0, 1}};
  const ClassificationReport report = MakeReport(predictions);
  EXPECT_THAT(report.confusion,
              ElementsAre(ElementsAre(2, 1, 0), ElementsAre(1, 1, 0), ElementsAre(0, 1, 0)));
  EXPECT_EQ(report.accuracy, 0.5);
  EXPECT_EQ(report.classes[0].support, 3u);
  EXPECT_DOUBLE_EQ(report.classes[0].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(report.classes[0].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(report.classes[0].f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(report.classes[1].precision, 1.0 / 3);
  EXPECT_DOUBLE_EQ(report.classes[1].recall, 0.5);
  EXPECT_DOUBLE_EQ(report.classes[1].f1, 0.4);
  EXPECT_TRUE(std::isnan(report.classes[2].precision));  // never predicted
  EXPECT_EQ(report.classes[2].recall, 0);
  EXPECT_EQ(report.classes[2].f1, 0);
  EXPECT_TRUE(std::isnan(report.auc));  // no scores were kept
}

TEST(ClassificationReport, AreaOfTwoClassesIsThatOfTheSecond) {
  const Predictions predictions{.classes = 2,
                                .indices = {0, 1, 2, 3},
                                .labels = {0, 0, 1, 1},
                                .scores = {0.9f, 0.1f, 0.6f, 0.4f, 0.65f, 0.35f, 0.2f, 0.8f},
                                .predicted = {0, 0, 0, 1}};
  EXPECT_EQ(MakeReport(predictions).auc, 0.75);
}

TEST(ClassificationReport, AreaOfMoreClassesIsTheMeanOfEachAgainstTheRest) {
  Predictions predictions{.classes = 3,
                          .indices = {0, 1, 2, 3},
                          .labels = {0, 1, 2, 2},
                          .scores = {0.5f, 0.3f, 0.2f, 0.6f, 0.2f, 0.2f, 0.1f, 0.5f, 0.4f, 0.2f, 0.2f, 0.6f},
                          .predicted = {0, 0, 1, 2}};
  // Class 0: one positive, above two of three. Class 1: 0.2 ties once, loses twice. Class 2: both above both.
  EXPECT_DOUBLE_EQ(MakeReport(predictions).auc, (2.0 / 3 + 0.5 / 3 + 1) / 3);
  predictions.labels = {0, 1, 1, 1};  // class 2 does not occur
  EXPECT_TRUE(std::isnan(MakeReport(predictions).auc));
}

TEST(ClassificationReport, NothingToReportOn) {
  const ClassificationReport report = MakeReport({.classes = 2});
  EXPECT_TRUE(std::isnan(report.accuracy));
  EXPECT_TRUE(std::isnan(report.classes[0].recall));
}

TEST(ClassificationReport, WhatIsNoClassIsRefused) {
  EXPECT_THROW(MakeReport({.classes = 2, .indices = {0}, .labels = {2}, .predicted = {0}}), Error);
  EXPECT_THROW(MakeReport({.classes = 2, .indices = {0}, .labels = {0}, .predicted = {2}}), Error);
}

}  // namespace
}  // namespace bucketline
