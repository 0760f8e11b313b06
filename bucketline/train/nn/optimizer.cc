#include "bucketline/train/nn/optimizer.h"

#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include "bucketline/base/error.h"

namespace bucketline::nn {
namespace {

namespace optim = ::torch::optim;

const at::Tensor& Find(const NamedTensors& state, const std::string& name, const std::string& origin) {
  const auto found = state.find(name);
  if (found == state.end()) {
    throw Error(ErrorCode::kInvalidArgument,
                "optimiser tensor " + name + " is missing; was it saved by another model or optimiser?",
                origin);
  }
  return found->second;
}

at::Tensor FindLike(const NamedTensors& state, const std::string& name, const at::Tensor& parameter,
                    const std::string& origin) {
  const at::Tensor& tensor = Find(state, name, origin);
  if (tensor.sizes() != parameter.sizes()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "optimiser tensor " + name + " has another shape than its parameter; was it saved by another model?",
        origin);
  }
  return ::torch::empty_like(parameter).copy_(tensor);  // in the parameter's memory format
}

}  // namespace

std::unique_ptr<optim::Optimizer> MakeOptimizer(const ::torch::nn::Module& model,
                                                const TrainOptions& options) {
  if (options.optimizer == OptimizerKind::kAdam) {
    return std::make_unique<optim::Adam>(
        model.parameters(), optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  }
  return std::make_unique<optim::SGD>(
      model.parameters(),
      optim::SGDOptions(options.learning_rate).momentum(options.momentum).weight_decay(options.weight_decay));
}

NamedTensors OptimizerState(optim::Optimizer& optimizer, const ::torch::nn::Module& model) {
  NamedTensors state;
  for (const auto& item : model.named_parameters()) {
    const auto found = optimizer.state().find(item.value().unsafeGetTensorImpl());
    if (found == optimizer.state().end()) continue;
    if (auto* adam = dynamic_cast<optim::AdamParamState*>(found->second.get())) {
      state[item.key() + ".exp_avg"] = adam->exp_avg();
      state[item.key() + ".exp_avg_sq"] = adam->exp_avg_sq();
      state[item.key() + ".step"] = ::torch::tensor({adam->step()}, at::kLong);
    } else if (auto* sgd = dynamic_cast<optim::SGDParamState*>(found->second.get())) {
      if (sgd->momentum_buffer().defined()) state[item.key() + ".momentum_buffer"] = sgd->momentum_buffer();
    }
  }
  return state;
}

void RestoreOptimizer(optim::Optimizer& optimizer, const ::torch::nn::Module& model,
                      const NamedTensors& state, const std::string& origin) {
  if (state.empty()) return;  // saved before the first step
  const bool is_adam = dynamic_cast<optim::Adam*>(&optimizer) != nullptr;
  for (const auto& item : model.named_parameters()) {
    const at::Tensor& parameter = item.value();
    if (is_adam) {
      auto adam = std::make_unique<optim::AdamParamState>();
      adam->exp_avg(FindLike(state, item.key() + ".exp_avg", parameter, origin));
      adam->exp_avg_sq(FindLike(state, item.key() + ".exp_avg_sq", parameter, origin));
      adam->step(Find(state, item.key() + ".step", origin).item<int64_t>());
      optimizer.state()[parameter.unsafeGetTensorImpl()] = std::move(adam);
    } else {
      auto sgd = std::make_unique<optim::SGDParamState>();
      sgd->momentum_buffer(FindLike(state, item.key() + ".momentum_buffer", parameter, origin));
      optimizer.state()[parameter.unsafeGetTensorImpl()] = std::move(sgd);
    }
  }
}

}  // namespace bucketline::nn
