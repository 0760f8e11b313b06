#include "bucketline/store/list_forecast.h"

#include <optional>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

using Part = ListForecast::Part;

TEST(ListForecast, NothingIsKnownBeforeAnAnswer) {
  ListForecast forecast;
  EXPECT_EQ(forecast.Left(), 0) << "no part, nothing to come";
  Part& part = forecast.Add();
  EXPECT_EQ(forecast.Left(), std::nullopt);
  ListForecast::Gave(part, 1, 9);
  EXPECT_EQ(forecast.Left(), 9);
  ListForecast::Gave(part, 1, std::nullopt);
  EXPECT_EQ(forecast.Left(), std::nullopt) << "it cannot be told any more";
}

TEST(ListForecast, PartsThatWereThereFromTheStartSayNothingOfEachOther) {
  ListForecast forecast;
  Part& one = forecast.Add();
  Part& other = forecast.Add();
  ListForecast::Gave(one, 1, 9);
  EXPECT_EQ(forecast.Left(), std::nullopt);
  ListForecast::Gave(other, 1, 100);
  EXPECT_EQ(forecast.Left(), 109);
  forecast.Ended(one, 9);
  EXPECT_EQ(forecast.Left(), 100);
}

TEST(ListForecast, AHalfThatNobodyAnsweredForIsAsLargeAsTheOther) {
  ListForecast forecast;
  Part& lower = forecast.Add();
  ListForecast::Gave(lower, 100, 20);
  Part& upper = forecast.Split(lower);
  EXPECT_EQ(forecast.Left(), 20) << "half of it each";
  ListForecast::Gave(lower, 5, 25);
  EXPECT_EQ(forecast.Left(), 25 + 30) << "what came before the split is in no half";
  ListForecast::Gave(lower, 5, 15);
  EXPECT_EQ(forecast.Left(), 15 + 25) << "by what is known of the other now";
  ListForecast::Gave(upper, 1, 2);
  EXPECT_EQ(forecast.Left(), 15 + 2);
}

TEST(ListForecast, ALowerHalfIsTakenFromTheUpperOneJustSo) {
  ListForecast forecast;
  Part& lower = forecast.Add();
  ListForecast::Gave(lower, 100, std::nullopt);
  Part& upper = forecast.Split(lower);
  EXPECT_EQ(forecast.Left(), std::nullopt);
  ListForecast::Gave(upper, 10, 20);
  EXPECT_EQ(forecast.Left(), 30 + 20);
}

TEST(ListForecast, WhatEndedStillTellsOfItsOtherHalf) {
  for (const bool lower_ends : {true, false}) {
    ListForecast forecast;
    Part& lower = forecast.Add();
    ListForecast::Gave(lower, 100, std::nullopt);
    Part& upper = forecast.Split(lower);
    ListForecast::Gave(lower_ends ? lower : upper, 5, 1);
    forecast.Ended(lower_ends ? lower : upper, 2);
    EXPECT_EQ(forecast.Left(), 7);
    Part& left = lower_ends ? upper : lower;
    ListForecast::Gave(left, 1, 3);
    EXPECT_EQ(forecast.Left(), 3);
    forecast.Ended(left, 3);
    EXPECT_EQ(forecast.Left(), 0);
  }
}

// Halves of halves: the one above is asked where both say nothing.
TEST(ListForecast, WhereNeitherHalfKnowsTheLargerPartTells) {
  ListForecast forecast;
  Part& first = forecast.Add();
  ListForecast::Gave(first, 50, 20);
  Part& third = forecast.Split(first);
  ListForecast::Gave(first, 2, 6);
  Part& fourth = forecast.Split(third);
  EXPECT_EQ(forecast.Left(), 6 + 8);
  Part& second = forecast.Split(first);
  ListForecast::Gave(first, 1, 2);
  EXPECT_EQ(forecast.Left(), 2 + 3 + 8) << "2 and twice 3 on each side";
  forecast.Ended(second, 0);
  EXPECT_EQ(forecast.Left(), 2 + 5);
  forecast.Ended(third, 1);
  EXPECT_EQ(forecast.Left(), 2 + 1);
  forecast.Ended(first, 2);
  ListForecast::Gave(fourth, 1, 7);
  EXPECT_EQ(forecast.Left(), 7);
}

TEST(ListForecast, SaysNothingWhereMostWouldBeAGuess) {
  ListForecast forecast;
  Part& lower = forecast.Add();
  ListForecast::Gave(lower, 10, 10);
  EXPECT_EQ(forecast.Left(), 10) << "what it seems to have is no guess";
  Part& upper = forecast.Split(lower);
  EXPECT_EQ(forecast.Left(), 10) << "half of the whole is";
  ListForecast::Gave(upper, 1, 9);
  EXPECT_EQ(forecast.Left(), 5 + 9);
  forecast.Split(upper);
  EXPECT_EQ(forecast.Left(), std::nullopt) << "14 of 25";
}

}  // namespace
}  // namespace bucketline
