// FusedAdam: LibTorch's Adam, all parameters in one pass.
#pragma once

#include <torch/optim/adam.h>

namespace bucketline::nn {

// optim::Adam updates one parameter after the other with a dozen operations each, which on a GPU takes longer than the
// backward pass of a small network. The result is the same within rounding, and so is the state. Without AMSGrad.
class FusedAdam : public ::torch::optim::Adam {
 public:
  using ::torch::optim::Adam::Adam;
  at::Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace bucketline::nn
