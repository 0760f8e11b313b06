#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/loader/batch.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

TEST(LoaderState, ComesBackFromJson) {
  const LoaderState state{.epoch = 3,
                          .position = 12345678901,
                          .seed = ~uint64_t{0},
                          .shuffle = true,
                          .fingerprint = 0xfedcba9876543210};
  EXPECT_EQ(LoaderState::FromJson(state.ToJson()), state);
  EXPECT_EQ(LoaderState{}.ToJson(),
            R"({"version":1,"epoch":0,"position":0,"seed":0,"shuffle":false,"fingerprint":0})");
}

TEST(LoaderState, ASamplingIsPartOfItAndOldReadersRefuseIt) {
  const LoaderState state{.epoch = 1, .sampling = Sampling::kBalanced, .epoch_size = 500};
  EXPECT_EQ(LoaderState::FromJson(state.ToJson()), state);
  EXPECT_EQ(state.ToJson(), R"({"version":2,"epoch":1,"position":0,"seed":0,"shuffle":false,"fingerprint":0,)"
                            R"("sampling":"balanced","epoch_size":500})");
  const LoaderState drawn{.sampling = Sampling::kReplacement};
  EXPECT_EQ(LoaderState::FromJson(drawn.ToJson()), drawn);
  const LoaderState mixed{.sampling = Sampling::kMix, .mix = 77};
  EXPECT_EQ(LoaderState::FromJson(mixed.ToJson()), mixed);
  EXPECT_THAT(mixed.ToJson(), HasSubstr(R"("sampling":"mix","epoch_size":0,"mix":77})"));
}

TEST(LoaderState, AWindowAndAPartOfTheRecordsAreParts) {
  const LoaderState window{.shuffle = true, .window = 16};
  EXPECT_EQ(LoaderState::FromJson(window.ToJson()), window);
  EXPECT_EQ(window.ToJson(), R"({"version":3,"epoch":0,"position":0,"seed":0,"shuffle":true,"fingerprint":0,)"
                             R"("sampling":"all","epoch_size":0,"window":16})");
  const LoaderState part{.shuffle = true, .epoch_size = 9};
  EXPECT_EQ(LoaderState::FromJson(part.ToJson()), part);
  EXPECT_THAT(part.ToJson(), HasSubstr(R"({"version":2,)"));
  const LoaderState both{.shuffle = true, .epoch_size = 9, .window = 3};
  EXPECT_EQ(LoaderState::FromJson(both.ToJson()), both);
}

TEST(LoaderState, UnknownFieldsArePassedOver) {
  EXPECT_EQ(LoaderState::FromJson(
                R"({"version":1,"epoch":2,"position":0,"seed":0,"shuffle":false,"fingerprint":0,"note":"x"})")
                .epoch,
            2u);
}

TEST(LoaderState, WhatIsNotAStateIsRefusedSayingWhy) {
  const auto refused = [](const char* json) {
    try {
      LoaderState::FromJson(json);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(refused(""), HasSubstr("not JSON"));
  EXPECT_THAT(refused("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(refused("{}"), HasSubstr("\"version\" is missing"));
  EXPECT_THAT(refused(R"({"version":4})"), HasSubstr("version 4"));
  EXPECT_THAT(refused(R"({"version":1,"epoch":-1})"), HasSubstr("\"epoch\""));
  EXPECT_THAT(refused(R"({"version":1,"epoch":1.5})"), HasSubstr("\"epoch\""));
  EXPECT_THAT(refused(R"({"version":1,"epoch":0,"position":0,"seed":0,"shuffle":1})"),
              HasSubstr("\"shuffle\""));
  EXPECT_THAT(refused(R"({"version":1,"epoch":0,"position":0,"seed":0,"shuffle":true})"),
              HasSubstr("\"fingerprint\" is missing"));
  const std::string sampled =
      R"({"version":2,"epoch":0,"position":0,"seed":0,"shuffle":true,"fingerprint":0)";
  EXPECT_THAT(refused((sampled + "}").c_str()), HasSubstr("\"sampling\" is missing"));
  EXPECT_THAT(refused((sampled + R"(,"sampling":"some"})").c_str()), HasSubstr("none of all, balanced"));
  EXPECT_THAT(refused((sampled + R"(,"sampling":"balanced"})").c_str()),
              HasSubstr("\"epoch_size\" is missing"));
  EXPECT_THAT(refused((sampled + R"(,"sampling":"mix","epoch_size":0})").c_str()),
              HasSubstr("\"mix\" is missing"));
  EXPECT_THAT(refused(R"({"version":3,"epoch":0,"position":0,"seed":0,"shuffle":true,"fingerprint":0,)"
                      R"("sampling":"all","epoch_size":0})"),
              HasSubstr("\"window\" is missing"));
}

}  // namespace
}  // namespace bucketline
