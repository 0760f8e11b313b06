#include "bucketline/train/nn/precision.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include "bucketline/base/error.h"

namespace bucketline::nn {

#if TORCH_VERSION_MAJOR >= 2

namespace autocast = at::autocast;

Autocast::Autocast(Precision precision, at::Device device)
    : active_(precision != Precision::kFloat32), device_(device.type()) {
  if (!active_) return;
  was_enabled_ = autocast::is_autocast_enabled(device_);
  old_type_ = autocast::get_autocast_dtype(device_);
  autocast::set_autocast_enabled(device_, true);
  autocast::set_autocast_dtype(device_, precision == Precision::kBfloat16 ? at::kBFloat16 : at::kHalf);
  autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!active_) return;
  // Casts of parameters are kept for the whole forward pass, and are stale after the optimiser's step.
  if (autocast::decrement_nesting() == 0) autocast::clear_cache();
  autocast::set_autocast_enabled(device_, was_enabled_);
  autocast::set_autocast_dtype(device_, old_type_);
}

#else

Autocast::Autocast(Precision precision, at::Device device)
    : active_(precision != Precision::kFloat32), device_(device.type()) {
  if (active_) {
    throw Error(ErrorCode::kUnsupported,
                "mixed precision needs LibTorch 2 or newer, and this build has an older one");
  }
}

Autocast::~Autocast() = default;

#endif

bool Unscale(std::vector<at::Tensor>& gradients, double scale) {
  if (gradients.empty()) return true;
  const at::TensorOptions options = gradients.front().options().dtype(at::kFloat);
  at::Tensor overflow = at::zeros({1}, options);
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, overflow, at::full({1}, 1 / scale, options));
  return overflow.item<float>() == 0;
}

}  // namespace bucketline::nn
