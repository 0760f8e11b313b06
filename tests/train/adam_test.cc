#include "bucketline/train/nn/adam.h"

#include <vector>

#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

namespace bucketline::nn {
namespace {

// A convolution's weights in both formats, a bias, and one that has no gradient at every other step.
std::vector<at::Tensor> Parameters() {
  ::torch::manual_seed(1);
  std::vector<at::Tensor> parameters = {
      ::torch::randn({8, 4, 3, 3}), ::torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast),
      ::torch::randn({8}), ::torch::randn({5, 3})};
  for (at::Tensor& parameter : parameters) parameter.set_requires_grad(true);
  return parameters;
}

void SetGradients(const std::vector<at::Tensor>& parameters, int64_t step) {
  ::torch::manual_seed(static_cast<uint64_t>(step));
  for (size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor gradient = ::torch::randn(parameters[i].sizes());
    if (i == 3 && step % 2 == 0) gradient = at::Tensor();
    parameters[i].mutable_grad() = gradient;
  }
}

TEST(FusedAdam, EqualsLibTorchsWithinRounding) {
  for (const double weight_decay : {0.0, 0.01}) {
    const auto options =
        ::torch::optim::AdamOptions(0.01).betas({0.8, 0.99}).eps(1e-6).weight_decay(weight_decay);
    const std::vector<at::Tensor> ours = Parameters();
    const std::vector<at::Tensor> theirs = Parameters();
    FusedAdam fused(ours, options);
    ::torch::optim::Adam plain(theirs, options);
    for (int64_t step = 0; step < 50; ++step) {
      SetGradients(ours, step);
      SetGradients(theirs, step);
      fused.step();
      plain.step();
    }
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_TRUE(ours[i].allclose(theirs[i], 1e-5, 1e-6)) << i;
      const auto& state =
          static_cast<::torch::optim::AdamParamState&>(*fused.state().at(ours[i].unsafeGetTensorImpl()));
      EXPECT_EQ(state.step(), i == 3 ? 25 : 50);
    }
  }
}

TEST(FusedAdam, AClosureIsCalledWithGradients) {
  at::Tensor parameter = ::torch::ones({1}).set_requires_grad(true);
  FusedAdam optimizer({parameter}, ::torch::optim::AdamOptions(0.1));
  const at::Tensor loss = optimizer.step([&] {
    at::Tensor square = (parameter * parameter).sum();
    square.backward();
    return square;
  });
  EXPECT_EQ(loss.item<float>(), 1);
  EXPECT_NEAR(parameter.item<float>(), 0.9, 1e-6);
}

}  // namespace
}  // namespace bucketline::nn
