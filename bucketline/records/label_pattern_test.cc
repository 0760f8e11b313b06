#include "bucketline/records/label_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using ::testing::HasSubstr;
using ::testing::Optional;

std::optional<std::string> Find(const std::string& expression, const std::string& key) {
  return LabelPattern(expression).LabelOf(key);
}

TEST(LabelPattern, TakesTheFirstGroup) {
  EXPECT_THAT(Find("([a-z]+)_([0-9]+)", "x/cat_12.jpg"), Optional(std::string("cat")));
  EXPECT_THAT(Find("(?:a|b)/(.)", "b/x"), Optional(std::string("x")));
  EXPECT_THAT(Find("^(.)", "abc"), Optional(std::string("a")));
}

TEST(LabelPattern, TakesTheGroupThatIsNamedLabel) {
  for (const char* expression : {"([a-z]+)_(?<label>[0-9]+)", "([a-z]+)_(?P<label>[0-9]+)",
                                 "(?P<kind>[a-z]+)_(?<label>[0-9]+)(?P<end>.)"}) {
    EXPECT_THAT(Find(expression, "cat_12.jpg"), Optional(std::string("12"))) << expression;
  }
  EXPECT_THAT(Find("(?P<kind>[a-z]+)_", "cat_12.jpg"),
              Optional(std::string("cat")));  // the first, by any name
}

TEST(LabelPattern, ParenthesesThatAreNoGroupsDoNotCount) {
  EXPECT_THAT(Find(R"(\((?<label>.)\))", "a(b)"), Optional(std::string("b")));
  EXPECT_THAT(Find("[(](x)", "(x"), Optional(std::string("x")));
  EXPECT_THAT(Find(R"([\](](?P<label>x))", "(x"), Optional(std::string("x")));
}

TEST(LabelPattern, NothingFoundIsNothing) {
  EXPECT_EQ(Find("(cat)", "dog"), std::nullopt);
  EXPECT_EQ(Find("(x*)dog", "dog"), std::nullopt);
  EXPECT_EQ(Find("(cat)|dog", "dog"), std::nullopt);
}

TEST(LabelPattern, ALetterOfSeveralBytesIsOneCharacter) {
  EXPECT_THAT(Find("/(.)_", "x/é_1.jpg"), Optional(std::string("é")));
}

// Engines that backtrack take exponential time here.
TEST(LabelPattern, NestedRepeatsTakeLinearTime) {
  EXPECT_EQ(Find("((a*)*)*$b", std::string(1024, 'a')), std::nullopt);
  EXPECT_THAT(Find("((a+)+)+b", std::string(1023, 'a') + "b"), Optional(std::string(1023, 'a')));
}

TEST(LabelPattern, WhatIsNoPatternIsNamed) {
  const auto message = [](const std::string& expression) {
    return MessageOf(ErrorCode::kInvalidArgument, [&] { LabelPattern{expression}; });
  };
  EXPECT_THAT(message("cat"), HasSubstr("\"cat\" has no group"));
  EXPECT_THAT(message(R"(\(cat\)[(])"), HasSubstr("has no group"));
  EXPECT_THAT(message("(?:cat)"), HasSubstr("has no group"));
  EXPECT_THAT(message("(cat"), HasSubstr("\"(cat\" is no regular expression"));
  EXPECT_THAT(message("(?=a)(.)"), HasSubstr("\"(?=a)(.)\" is no regular expression"));
  EXPECT_THAT(message("(?<=a)(.)"), HasSubstr("is no regular expression"));
}

}  // namespace
}  // namespace bucketline
