#include "bucketline/dataset/braces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

TEST(Braces, RangesKeepTheirDigits) {
  EXPECT_THAT(
      ExpandBraces("s3://b/train-{008..011}/"),
      ElementsAre("s3://b/train-008/", "s3://b/train-009/", "s3://b/train-010/", "s3://b/train-011/"));
  EXPECT_THAT(ExpandBraces("{9..11}"), ElementsAre("9", "10", "11"));
  EXPECT_THAT(ExpandBraces("a{7..7}"), ElementsAre("a7"));
  EXPECT_THAT(ExpandBraces("{18446744073709551614..18446744073709551615}"),
              ElementsAre("18446744073709551614", "18446744073709551615"));
}

TEST(Braces, ListsAndCombinations) {
  EXPECT_THAT(ExpandBraces("/d/{train,extra}"), ElementsAre("/d/train", "/d/extra"));
  EXPECT_THAT(ExpandBraces("{a,}x"), ElementsAre("ax", "x"));
  EXPECT_THAT(ExpandBraces("{a,b}-{0..1}"), ElementsAre("a-0", "a-1", "b-0", "b-1"));
}

TEST(Braces, OthersStayAsTheyAre) {
  for (const char* text : {"plain", "", "{x}", "{}", "a{b", "a}b", "{..}", "{a..c}", "{1..}", "{-1..2}"}) {
    EXPECT_THAT(ExpandBraces(text), ElementsAre(text));
  }
  EXPECT_THAT(ExpandBraces("{x}{1..2}"), ElementsAre("{x}1", "{x}2"));
}

TEST(Braces, WhatMakesNoSenseIsNamed) {
  EXPECT_THAT(ErrorOf([] { ExpandBraces("x{5..3}"); }).what(), HasSubstr("{5..3} descends"));
  EXPECT_THAT(ErrorOf([] { ExpandBraces("{0..99999999}"); }).what(), HasSubstr("too long"));
  EXPECT_THAT(ErrorOf([] { ExpandBraces("{0..999}{0..999}"); }).what(), HasSubstr("more than 100000"));
}

}  // namespace
}  // namespace bucketline
