#include "bucketline/train/class_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kClasses = {"cat", "dog", "0"};
const std::vector<uint64_t> kImages = {10, 20, 30};

std::vector<double> Resolve(std::string_view text) {
  return ClassWeights::Parse(text).Resolve(kClasses, kImages);
}

TEST(ClassWeights, ByNumberOrName) {
  EXPECT_THAT(Resolve("1=2.5"), ElementsAre(1, 2.5, 1));
  EXPECT_THAT(Resolve("cat=0.5,dog=2"), ElementsAre(0.5, 2, 1));
}

TEST(ClassWeights, ANameComesBeforeANumber) { EXPECT_THAT(Resolve("0=3"), ElementsAre(1, 1, 3)); }

TEST(ClassWeights, ANameMayHoldAnEqualsSign) {
  const std::vector<std::string> classes = {"a=b", "c"};
  const std::vector<uint64_t> images = {1, 1};
  EXPECT_THAT(ClassWeights::Parse("a=b=2").Resolve(classes, images), ElementsAre(2, 1));
}

TEST(ClassWeights, BalancedMakesEveryClassCountAlike) {
  const std::vector<double> weights = Resolve("balanced");
  EXPECT_THAT(weights, ElementsAre(DoubleEq(2), DoubleEq(1), DoubleEq(2.0 / 3)));
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) sum += weights[i] * static_cast<double>(kImages[i]);
  EXPECT_DOUBLE_EQ(sum, 60);  // the mean over the images is 1
}

TEST(ClassWeights, NoneGivenIsNoWeights) {
  EXPECT_TRUE(ClassWeights().empty());
  EXPECT_THAT(ClassWeights().Resolve(kClasses, kImages), IsEmpty());
}

TEST(ClassWeights, WhatCannotBeReadIsNamed) {
  for (const char* text : {"", "heavy", "cat", "cat=", "=2", "cat=x", "cat=0", "cat=-1", "cat=inf", "cat=nan",
                           "cat=1,", "cat=1x"}) {
    try {
      ClassWeights::Parse(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message(), HasSubstr("class weights"));
    }
  }
}

TEST(ClassWeights, ClassesThatAreNotThereAreNamed) {
  const auto message = [](std::string_view text, const std::vector<uint64_t>& images = kImages) {
    try {
      ClassWeights::Parse(text).Resolve(kClasses, images);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("it was accepted");
  };
  EXPECT_THAT(message("horse=2"), HasSubstr("\"horse\""));
  EXPECT_THAT(message("3=2"), HasSubstr("\"3\""));
  EXPECT_THAT(message("cat=2,dog=1,cat=3"), HasSubstr("\"cat\" is named twice"));
  EXPECT_THAT(message("dog=2,1=3"), HasSubstr("\"dog\" is named twice"));
  EXPECT_THAT(message("balanced", {10, 0, 30}), HasSubstr("\"dog\" has no image"));
}

}  // namespace
}  // namespace bucketline
