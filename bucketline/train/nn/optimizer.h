// The optimisers by name, and their state as named tensors.
#pragma once

#include <memory>

#include <torch/nn/module.h>
#include <torch/optim/optimizer.h>

#include "bucketline/train/nn/tensor_archive.h"
#include "bucketline/train/options.h"

namespace bucketline::nn {

std::unique_ptr<::torch::optim::Optimizer> MakeOptimizer(const ::torch::nn::Module& model,
                                                         const TrainOptions& options);

// "<parameter>.exp_avg", "<parameter>.exp_avg_sq" and "<parameter>.step" of Adam,
// "<parameter>.momentum_buffer" of SGD; empty before the first step.
NamedTensors OptimizerState(::torch::optim::Optimizer& optimizer, const ::torch::nn::Module& model);

// Throws kInvalidArgument naming a tensor that is missing, unknown or of another shape.
void RestoreOptimizer(::torch::optim::Optimizer& optimizer, const ::torch::nn::Module& model,
                      const NamedTensors& state, const std::string& origin);

}  // namespace bucketline::nn
