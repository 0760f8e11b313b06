#include "bucketline/train/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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
  state.schedule = "cosine over 40 steps to 0";
  state.class_weights = {1, 2.5};
  state.label_smoothing = 0.1;
  state.precision = "bfloat16";
  state.monitor = "auc";
  state.improvement = {.best = 1.0 / 7, .epochs_since = 3};
  state.loss_scale = {.scale = 1024, .good_steps = 17};
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
  EXPECT_EQ(back.improvement.best, state.improvement.best);
  EXPECT_EQ(back.improvement.epochs_since, state.improvement.epochs_since);
  EXPECT_EQ(back.loss_scale.scale, state.loss_scale.scale);
  EXPECT_EQ(back.loss_scale.good_steps, state.loss_scale.good_steps);
  EXPECT_NO_THROW(back.RequireSameRun(state, "uri"));
}

TEST(RunState, NoBestYetIsKept) {
  RunState state = Example();
  state.improvement = {};
  EXPECT_FALSE(RunState::FromJson(state.ToJson(), "uri").improvement.best);
}

// Written before schedules, class weights, precision and early stop were: it was trained without them.
TEST(RunState, AFileOfAnEarlierVersionIsRead) {
  const RunState old = RunState::FromJson(
      R"({"format": 1, "step": 5, "loader": {"version": 1, "epoch": 0, "position": 8, "seed": 0, "shuffle": true,
          "fingerprint": 1}, "epoch_loss_sum": 0.5, "epoch_correct": 1, "epoch_rows": 2,
          "best_validation_accuracy": -1, "model": "mobilenet_v2", "width": 1.0, "optimizer": "adam",
          "loss": "binary_crossentropy", "classes": ["a", "b"], "image_size": 32})",
      "uri");
  RunState now;
  now.model = "mobilenet_v2";
  now.optimizer = "adam";
  now.loss = "binary_crossentropy";
  now.classes = {"a", "b"};
  now.image_size = 32;
  EXPECT_NO_THROW(old.RequireSameRun(now, "uri"));
  EXPECT_FALSE(old.improvement.best);
  EXPECT_EQ(old.loss_scale.scale, LossScale::kInitial);
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

TEST(RunState, AnotherVersionIsSaidToBeOne) {
  nlohmann::json state = nlohmann::json::parse(Example().ToJson());
  state.at("format") = 2;
  try {
    RunState::FromJson(state.dump(), "s3://b/c/");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_EQ(error.uri(), "s3://b/c/");
  }
}

// As a float it would be converted to an integer that cannot hold it.
TEST(RunState, ANumberThatIsNotWholeIsRefused) {
  for (const char* name :
       {"step", "epoch_correct", "epoch_rows", "image_size", "epochs_since_best", "loss_scale_good_steps"}) {
    for (const nlohmann::json& value : {nlohmann::json(1e30), nlohmann::json(-1), nlohmann::json(0.5)}) {
      nlohmann::json state = nlohmann::json::parse(Example().ToJson());
      state.at(name) = value;
      try {
        RunState::FromJson(state.dump(), "s3://b/c/");
        FAIL() << name << " " << value;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kCorruptData) << name;
      }
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
  expect_refused("schedule", [](RunState& state) { state.schedule = "constant"; });
  expect_refused("class weights", [](RunState& state) { state.class_weights = {}; });
  expect_refused("label smoothing", [](RunState& state) { state.label_smoothing = 0; });
  expect_refused("precision", [](RunState& state) { state.precision = "float32"; });
  expect_refused("monitored", [](RunState& state) { state.monitor = "loss"; });
  expect_refused("image size", [](RunState& state) { state.image_size = 224; });
}

}  // namespace
}  // namespace bucketline
