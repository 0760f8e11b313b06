// BatchNorm: batch normalisation of one process, or over the rows of all ranks.
#pragma once

#include <torch/nn.h>

#include "bucketline/train/nn/rank_group.h"

namespace bucketline::nn {

// nn::BatchNorm2d with the same parameters and buffers. With `ranks`, training normalises by the mean and variance of
// all ranks' rows, and so gives what one process with the whole batch would: a collective in each forward and each
// backward pass, in which every rank has rows.
class BatchNormImpl : public ::torch::nn::BatchNorm2dImpl {
 public:
  // `ranks`: null: of one process; else outlives the module.
  explicit BatchNormImpl(int64_t channels, RankGroup* ranks = nullptr);
  at::Tensor forward(const at::Tensor& x);

 private:
  RankGroup* ranks_;
};
TORCH_MODULE(BatchNorm);

}  // namespace bucketline::nn
