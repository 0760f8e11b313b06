#include "bucketline/train/nn/optimizer.h"

#include <utility>
#include <vector>

#include <torch/optim/sgd.h>
#include <torch/types.h>

#include "bucketline/base/error.h"
#include "bucketline/train/nn/adam.h"

namespace bucketline::nn {
namespace {

namespace optim = ::torch::optim;

// The state of one optimiser, handed out tensor by tensor, so that what is missing or left over shows.
class SavedState {
 public:
  SavedState(const NamedTensors& tensors, const std::string& origin) : rest_(tensors), origin_(origin) {}

  bool Has(const std::string& name) const { return rest_.contains(name); }

  at::Tensor Take(const std::string& name) {
    const auto found = rest_.find(name);
    if (found == rest_.end()) throw Refused(name, "is missing");
    at::Tensor tensor = found->second;
    rest_.erase(found);
    return tensor;
  }

  // On the parameter's device and in its memory format.
  at::Tensor TakeLike(const std::string& name, const at::Tensor& parameter) {
    const at::Tensor tensor = Take(name);
    if (tensor.sizes() != parameter.sizes()) throw Refused(name, "has another shape than its parameter");
    return ::torch::empty_like(parameter).copy_(tensor);
  }

  void RequireEmpty() const {
    if (!rest_.empty()) throw Refused(rest_.begin()->first, "belongs to no parameter");
  }

 private:
  Error Refused(const std::string& name, const std::string& what) const {
    return Error(ErrorCode::kInvalidArgument,
                 "optimiser tensor " + name + " " + what + "; was it saved by another model or optimiser?",
                 origin_);
  }

  NamedTensors rest_;
  const std::string& origin_;
};

std::vector<at::Tensor> TensorsOf(const NamedParameters& parameters) {
  std::vector<at::Tensor> tensors;
  for (const auto& [name, tensor] : parameters) tensors.push_back(tensor);
  return tensors;
}

}  // namespace

std::unique_ptr<optim::Optimizer> MakeOptimizer(const NamedParameters& parameters,
                                                const TrainOptions& options) {
  if (options.optimizer == OptimizerKind::kAdam) {
    return std::make_unique<FusedAdam>(
        TensorsOf(parameters), optim::AdamOptions(options.learning_rate).weight_decay(options.weight_decay));
  }
  return std::make_unique<optim::SGD>(
      TensorsOf(parameters),
      optim::SGDOptions(options.learning_rate).momentum(options.momentum).weight_decay(options.weight_decay));
}

NamedTensors OptimizerState(optim::Optimizer& optimizer, const NamedParameters& parameters) {
  NamedTensors state;
  for (const auto& [name, parameter] : parameters) {
    const auto found = optimizer.state().find(parameter.unsafeGetTensorImpl());
    if (found == optimizer.state().end()) continue;
    if (auto* adam = dynamic_cast<optim::AdamParamState*>(found->second.get())) {
      state[name + ".exp_avg"] = adam->exp_avg();
      state[name + ".exp_avg_sq"] = adam->exp_avg_sq();
      state[name + ".step"] = ::torch::tensor({adam->step()}, at::kLong);
    } else if (auto* sgd = dynamic_cast<optim::SGDParamState*>(found->second.get())) {
      if (sgd->momentum_buffer().defined()) state[name + ".momentum_buffer"] = sgd->momentum_buffer();
    }
  }
  return state;
}

void RestoreOptimizer(optim::Optimizer& optimizer, const NamedParameters& parameters,
                      const NamedTensors& state, const std::string& origin) {
  SavedState saved(state, origin);
  const bool is_adam = dynamic_cast<optim::Adam*>(&optimizer) != nullptr;
  for (const auto& [name, parameter] : parameters) {
    if (is_adam && saved.Has(name + ".exp_avg")) {
      auto adam = std::make_unique<optim::AdamParamState>();
      adam->exp_avg(saved.TakeLike(name + ".exp_avg", parameter));
      adam->exp_avg_sq(saved.TakeLike(name + ".exp_avg_sq", parameter));
      adam->step(saved.Take(name + ".step").item<int64_t>());
      optimizer.state()[parameter.unsafeGetTensorImpl()] = std::move(adam);
    } else if (!is_adam && saved.Has(name + ".momentum_buffer")) {
      auto sgd = std::make_unique<optim::SGDParamState>();
      sgd->momentum_buffer(saved.TakeLike(name + ".momentum_buffer", parameter));
      optimizer.state()[parameter.unsafeGetTensorImpl()] = std::move(sgd);
    }
  }
  saved.RequireEmpty();
}

void SetLearningRate(optim::Optimizer& optimizer, double learning_rate) {
  for (optim::OptimizerParamGroup& group : optimizer.param_groups()) group.options().set_lr(learning_rate);
}

}  // namespace bucketline::nn
