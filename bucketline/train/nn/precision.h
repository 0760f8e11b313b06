// Mixed precision: activations in 16 bits, parameters and losses in 32.
#pragma once

#include <optional>
#include <vector>

#include <torch/types.h>

#include "bucketline/train/loss_scale.h"
#include "bucketline/train/options.h"

namespace bucketline::nn {

// While it lives, LibTorch runs convolutions and products on this thread in the given precision. Nothing for
// float32.
class Autocast {
 public:
  // Throws kUnsupported for a LibTorch before 2, whose CPU kernels lack what MobileNetV2 needs.
  Autocast(Precision precision, at::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  const bool active_;
  const at::DeviceType device_;
  bool was_enabled_ = false;
  at::ScalarType old_type_ = at::kFloat;
};

// Divides gradients by `scale` in place; whether all of them are finite.
bool Unscale(std::vector<at::Tensor>& gradients, double scale);

}  // namespace bucketline::nn
