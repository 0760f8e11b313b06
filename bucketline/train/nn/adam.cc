#include "bucketline/train/nn/adam.h"

#include <map>
#include <memory>
#include <vector>

#include <ATen/ops/_fused_adam.h>
#include <torch/types.h>
#include <torch/utils.h>

namespace bucketline::nn {
namespace {

namespace optim = ::torch::optim;

struct Tensors {
  std::vector<at::Tensor> parameters, gradients, averages, squares;
};

optim::AdamParamState& StateOf(optim::Adam& optimizer, const at::Tensor& parameter) {
  auto& state = optimizer.state()[parameter.unsafeGetTensorImpl()];
  if (state == nullptr) {
    auto made = std::make_unique<optim::AdamParamState>();
    made->exp_avg(::torch::zeros_like(parameter));
    made->exp_avg_sq(::torch::zeros_like(parameter));
    state = std::move(made);
  }
  return static_cast<optim::AdamParamState&>(*state);
}

// The fused pass goes through memory, not through rows and columns.
at::Tensor LaidOutLike(const at::Tensor& parameter, const at::Tensor& gradient) {
  return gradient.strides() == parameter.strides() ? gradient
                                                   : ::torch::empty_like(parameter).copy_(gradient);
}

}  // namespace

at::Tensor FusedAdam::step(LossClosure closure) {
  at::Tensor loss;
  if (closure != nullptr) {
    const at::AutoGradMode with_gradients(true);
    loss = closure();
  }
  const ::torch::NoGradGuard no_gradients;
  for (optim::OptimizerParamGroup& group : param_groups()) {
    // By how many steps they have had: one that had no gradient at first is behind.
    std::map<int64_t, Tensors> together;
    for (const at::Tensor& parameter : group.params()) {
      if (!parameter.grad().defined()) continue;
      optim::AdamParamState& state = StateOf(*this, parameter);
      state.step(state.step() + 1);
      Tensors& tensors = together[state.step()];
      tensors.parameters.push_back(parameter);
      tensors.gradients.push_back(LaidOutLike(parameter, parameter.grad()));
      tensors.averages.push_back(state.exp_avg());
      tensors.squares.push_back(state.exp_avg_sq());
    }
    const auto& options = static_cast<const optim::AdamOptions&>(group.options());
    const auto [beta1, beta2] = options.betas();
    for (auto& [step, tensors] : together) {
      const at::Tensor count =
          ::torch::full({}, static_cast<double>(step),
                        at::TensorOptions(at::kFloat).device(tensors.parameters[0].device()));
      const std::vector<at::Tensor> counts(tensors.parameters.size(), count);
      at::_fused_adam_(tensors.parameters, tensors.gradients, tensors.averages, tensors.squares,
                       /*max_exp_avg_sqs=*/{}, counts, options.lr(), beta1, beta2, options.weight_decay(),
                       options.eps(), /*amsgrad=*/false, /*maximize=*/false);
    }
  }
  return loss;
}

}  // namespace bucketline::nn
