// MobileNetV2, its optimisers and one batch through them, on LibTorch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/optim/optimizer.h>
#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/base/error.h"
#include "bucketline/train/nn/mobilenet_v2.h"
#include "bucketline/train/nn/model.h"
#include "bucketline/train/nn/optimizer.h"
#include "bucketline/train/nn/tensor_archive.h"

namespace bucketline::nn {
namespace {

using ::testing::HasSubstr;

MobileNetV2 Small(int64_t outputs = 2) {
  ::torch::manual_seed(1);
  return MobileNetV2(MobileNetV2Options{.outputs = outputs, .width = 0.25});
}

int64_t ParameterCount(const ::torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

// Published for torchvision's mobilenet_v2: 3,504,872 parameters with 1,000 classes.
TEST(MobileNetV2, HasThePublishedNumberOfParameters) {
  EXPECT_EQ(ParameterCount(*MobileNetV2(MobileNetV2Options{})), 3'504'872);
}

TEST(MobileNetV2, HasTorchvisionsNames) {
  const NamedTensors state = StateOf(*Small());
  for (const char* name :
       {"features.0.0.weight", "features.0.1.running_mean", "features.1.conv.0.0.weight",
        "features.1.conv.1.weight", "features.1.conv.2.bias", "features.2.conv.0.0.weight",
        "features.17.conv.3.num_batches_tracked", "features.18.1.weight", "classifier.1.weight"}) {
    EXPECT_TRUE(state.contains(name)) << name;
  }
  EXPECT_EQ(state.size(), 314u);
}

TEST(MobileNetV2, GivesOneRowOfLogitsAnImage) {
  MobileNetV2 model = Small(5);
  EXPECT_EQ(model->forward(::torch::zeros({3, 3, 32, 64})).sizes(), (at::IntArrayRef{3, 5}));
}

TEST(TensorArchive, RoundTripIsExact) {
  MobileNetV2 model = Small(), other(MobileNetV2Options{.outputs = 2, .width = 0.25});
  model->forward(::torch::randn({2, 3, 32, 32}));  // moves the running statistics
  CopyTensors(LoadTensors(SaveTensors(StateOf(*model))), StateOf(*other), "uri");
  const NamedTensors expected = StateOf(*model), actual = StateOf(*other);
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.equal(actual.at(name))) << name;
}

TEST(TensorArchive, SavesChannelsLastParametersInTheirLogicalOrder) {
  const at::Tensor plain = ::torch::arange(24).reshape({1, 2, 3, 4}).to(at::kFloat);
  const Bytes bytes = SaveTensors({{"x", plain.contiguous(at::MemoryFormat::ChannelsLast)}});
  EXPECT_TRUE(LoadTensors(bytes).at("x").equal(plain));
}

TEST(TensorArchive, EveryTypeOfTensorRoundTrips) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                                    at::kShort, at::kChar, at::kByte, at::kBool}) {
    const at::Tensor tensor = ::torch::arange(6).reshape({2, 3}).to(type);
    const at::Tensor back = LoadTensors(SaveTensors({{"x", tensor}})).at("x");
    EXPECT_EQ(back.scalar_type(), type);
    EXPECT_TRUE(back.equal(tensor)) << type;
  }
}

TEST(TensorArchive, ACopyStaysWhenTrainingGoesOn) {
  const at::Tensor tensor = ::torch::ones({1, 2, 3, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor copy = CopyToCpu({{"x", tensor}}).at("x");
  tensor.zero_();
  EXPECT_TRUE(copy.equal(::torch::ones({1, 2, 3, 4})));
  EXPECT_TRUE(copy.is_contiguous());
}

TEST(TensorArchive, WhatDoesNotFitIsNamed) {
  const auto refused = [](NamedTensors source, const NamedTensors& target) -> std::string {
    try {
      CopyTensors(source, target, "s3://b/w");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_EQ(error.uri(), "s3://b/w");
      return error.message();
    }
    return "it was copied";
  };
  const at::Tensor two = ::torch::zeros({2}), three = ::torch::zeros({3});
  EXPECT_THAT(refused({}, {{"a", two}}), HasSubstr("a is missing"));
  EXPECT_THAT(refused({{"a", two}, {"b", two}}, {{"a", two}}), HasSubstr("b has no place"));
  EXPECT_THAT(refused({{"a", three}}, {{"a", two}}), HasSubstr("(3) instead of (2)"));
  EXPECT_EQ(CopyTensors({{"head", three}}, {{"head", two}}, "", [](const std::string&) { return true; }), 1u);
  EXPECT_THROW(SaveTensors({{"c", ::torch::zeros({1}, at::kComplexFloat)}}), Error);
}

void Train(MobileNetV2& model, ::torch::optim::Optimizer& optimizer, int steps) {
  for (int i = 0; i < steps; ++i) {
    ::torch::manual_seed(100 + i);
    optimizer.zero_grad();
    model->forward(::torch::randn({2, 3, 32, 32})).square().mean().backward();
    optimizer.step();
  }
}

class OptimizerTest : public ::testing::TestWithParam<OptimizerKind> {};

// Three steps, then save, restore into fresh objects, three more on both: the same parameters to the bit.
TEST_P(OptimizerTest, ARestoredOptimizerGoesOnAsTheOldOne) {
  TrainOptions options;
  options.optimizer = GetParam();
  options.learning_rate = 0.01;
  MobileNetV2 model = Small();
  auto optimizer = MakeOptimizer(ParametersOf(*model), options);
  Train(model, *optimizer, 3);

  MobileNetV2 copy(MobileNetV2Options{.outputs = 2, .width = 0.25});
  auto restored = MakeOptimizer(ParametersOf(*copy), options);
  CopyTensors(LoadTensors(SaveTensors(StateOf(*model))), StateOf(*copy), "");
  RestoreOptimizer(*restored, ParametersOf(*copy),
                   LoadTensors(SaveTensors(OptimizerState(*optimizer, ParametersOf(*model)))), "");

  at::set_num_threads(1);
  Train(model, *optimizer, 3);
  Train(copy, *restored, 3);
  const NamedTensors expected = StateOf(*model), actual = StateOf(*copy);
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.equal(actual.at(name))) << name;
}

TEST_P(OptimizerTest, StateOfAnotherOptimizerIsRefused) {
  TrainOptions options;
  options.optimizer = GetParam();
  MobileNetV2 model = Small();
  auto optimizer = MakeOptimizer(ParametersOf(*model), options);
  try {
    RestoreOptimizer(*optimizer, ParametersOf(*model), {{"other", ::torch::zeros({1})}}, "s3://b/c");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.uri(), "s3://b/c");
  }
}

TEST_P(OptimizerTest, TheLearningRateOfTheStepIsUsed) {
  TrainOptions options;
  options.optimizer = GetParam();
  MobileNetV2 model = Small();
  auto optimizer = MakeOptimizer(ParametersOf(*model), options);
  const NamedTensors before = CopyToCpu(StateOf(*model));
  SetLearningRate(*optimizer, 0);
  Train(model, *optimizer, 1);
  for (const auto& [name, parameter] : ParametersOf(*model))
    EXPECT_TRUE(parameter.equal(before.at(name))) << name;
  SetLearningRate(*optimizer, 0.1);
  Train(model, *optimizer, 1);
  EXPECT_FALSE(model->named_parameters()["classifier.1.bias"].equal(before.at("classifier.1.bias")));
}

// A layer that a network does not use gets no gradient, and the optimiser no state for it.
TEST_P(OptimizerTest, AParameterWithoutGradientIsSavedAndRestoredAsSuch) {
  TrainOptions options;
  options.optimizer = GetParam();
  const NamedParameters parameters = {{"used", ::torch::ones({2}).requires_grad_()},
                                      {"unused", ::torch::ones({2}).requires_grad_()}};
  auto optimizer = MakeOptimizer(parameters, options);
  parameters[0].second.sum().backward();
  optimizer->step();
  const NamedTensors state = OptimizerState(*optimizer, parameters);
  EXPECT_FALSE(state.empty());
  for (const auto& [name, tensor] : state) EXPECT_TRUE(name.starts_with("used.")) << name;
  auto restored = MakeOptimizer(parameters, options);
  EXPECT_NO_THROW(RestoreOptimizer(*restored, parameters, state, ""));
  EXPECT_EQ(OptimizerState(*restored, parameters).size(), state.size());
}

TEST_P(OptimizerTest, BeforeTheFirstStepThereIsNoState) {
  TrainOptions options;
  options.optimizer = GetParam();
  MobileNetV2 model = Small();
  auto optimizer = MakeOptimizer(ParametersOf(*model), options);
  EXPECT_TRUE(OptimizerState(*optimizer, ParametersOf(*model)).empty());
  EXPECT_NO_THROW(RestoreOptimizer(*optimizer, ParametersOf(*model), {}, ""));
}

INSTANTIATE_TEST_SUITE_P(All, OptimizerTest, ::testing::Values(OptimizerKind::kAdam, OptimizerKind::kSgd),
                         [](const auto& tested) { return std::string(OptimizerName(tested.param)); });

}  // namespace
}  // namespace bucketline::nn
