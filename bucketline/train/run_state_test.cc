#include "bucketline/train/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

RunState Example() {
  RunState state;
  state.step = 12;
  state.loader = {.epoch = 3, .position = 64, .seed = 7, .shuffle = true, .fingerprint = ~uint64_t{0}};
  state.epoch_loss_sum = 1.0 / 3;
  state.epoch_correct = 40;
  state.epoch_rows = 64;
  state.best_validation_accuracy = 0.9;
  state.model = "mobilenet_v2";
  state.width = 0.35;
  state.optimizer = "adam";
  state.loss = "binary_crossentropy";
  state.classes = {"cat", "dog"};
  state.image_size = 96;
  return state;
}

TEST(RunState, RoundTripIsExact) {
  const RunState state = Example(), back = RunState::FromJson(state.ToJson(), "uri");
  EXPECT_EQ(back.step, state.step);
  EXPECT_EQ(back.loader, state.loader);
  EXPECT_EQ(back.epoch_loss_sum, state.epoch_loss_sum);
  EXPECT_EQ(back.epoch_correct, state.epoch_correct);
  EXPECT_EQ(back.epoch_rows, state.epoch_rows);
  EXPECT_EQ(back.best_validation_accuracy, state.best_validation_accuracy);
  EXPECT_NO_THROW(back.RequireSameRun(state, "uri"));
}

TEST(RunState, DamageNamesItsOrigin) {
  for (const char* json : {"", "{", "[]", R"({"format": 1})", R"({"format": "x"})"}) {
    try {
      RunState::FromJson(json, "s3://b/c/");
      FAIL() << json;
    } catch (const Error& error) {
      EXPECT_EQ(error.uri(), "s3://b/c/") << json;
    }
  }
}

TEST(RunState, WhatDiffersIsNamed) {
  const auto expect_refused = [](const std::string& what, auto change) {
    RunState other = Example();
    change(other);
    try {
      Example().RequireSameRun(other, "s3://b/c/");
      FAIL() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.message(), HasSubstr(what));
    }
  };
  expect_refused("model", [](RunState& state) { state.model = "other"; });
  expect_refused("width", [](RunState& state) { state.width = 1; });
  expect_refused("optimizer", [](RunState& state) { state.optimizer = "sgd"; });
  expect_refused("loss", [](RunState& state) { state.loss = "categorical_crossentropy"; });
  expect_refused("classes", [](RunState& state) { state.classes = {"cat", "cow"}; });
  expect_refused("image size", [](RunState& state) { state.image_size = 224; });
}

}  // namespace
}  // namespace bucketline
