// The optimisers by name, and their state as named tensors.
#pragma once

#include <memory>

#include <torch/optim/optimizer.h>

#include "bucketline/train/nn/model.h"
#include "bucketline/train/options.h"

namespace bucketline::nn {

std::unique_ptr<::torch::optim::Optimizer> MakeOptimizer(const NamedParameters& parameters,
                                                         const TrainOptions& options);

// "<parameter>.exp_avg", "<parameter>.exp_avg_sq" and "<parameter>.step" of Adam,
// "<parameter>.momentum_buffer" of SGD; nothing of a parameter that has not had a
// gradient yet.
NamedTensors OptimizerState(::torch::optim::Optimizer& optimizer, const NamedParameters& parameters);

// Throws kInvalidArgument naming a tensor that is missing, unknown or of another shape.
void RestoreOptimizer(::torch::optim::Optimizer& optimizer, const NamedParameters& parameters,
                      const NamedTensors& state, const std::string& origin);

void SetLearningRate(::torch::optim::Optimizer& optimizer, double learning_rate);

}  // namespace bucketline::nn
