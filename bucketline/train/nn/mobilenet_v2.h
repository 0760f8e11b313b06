// MobileNetV2 with torchvision's architecture, parameter names and initialisation.
// Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv 1801.04381.
#pragma once

#include <torch/nn.h>

#include "bucketline/train/nn/rank_group.h"

namespace bucketline::nn {

struct MobileNetV2Options {
  int64_t outputs = 1000;
  double width = 1.0;               // multiplies every channel count, rounded to multiples of 8
  double dropout = 0.2;             // before the classifier
  RankGroup* sync_ranks = nullptr;  // batches are normalised over all of these; outlives the module
};

// (B, 3, H, W) float -> logits (B, outputs). H and W are at least 32.
class MobileNetV2Impl : public ::torch::nn::Module {
 public:
  explicit MobileNetV2Impl(const MobileNetV2Options& options);
  at::Tensor forward(at::Tensor images);

 private:
  ::torch::nn::Sequential features_;
  ::torch::nn::Sequential classifier_;
};
TORCH_MODULE(MobileNetV2);

}  // namespace bucketline::nn
