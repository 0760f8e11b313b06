// LossScale: what the loss is multiplied by so that float16 gradients do not vanish.
#pragma once

#include <algorithm>
#include <cstdint>

namespace bucketline {

// Dynamic loss scaling as in Micikevicius et al., "Mixed Precision Training", arXiv 1710.03740, with PyTorch's
// constants: halved when a gradient overflowed, doubled after 2,000 steps in a row without.
struct LossScale {
  static constexpr double kInitial = 65536;
  static constexpr double kSmallest = 1;
  static constexpr double kLargest = 16777216;  // 2^24: beyond it a float16 loss is all overflow
  static constexpr uint64_t kGrowthInterval = 2000;

  double scale = kInitial;
  uint64_t good_steps = 0;  // in a row, since the scale last changed

  // After a step whose gradients were all finite, or not: then the step must not be taken.
  void Update(bool finite) {
    if (!finite) {
      scale = std::max(scale / 2, kSmallest);
      good_steps = 0;
    } else if (++good_steps == kGrowthInterval) {
      scale = std::min(scale * 2, kLargest);
      good_steps = 0;
    }
  }
};

}  // namespace bucketline
