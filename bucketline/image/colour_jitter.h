// ColourJitter: torchvision's ColorJitter on the levels of one image.
#pragma once

#include <array>
#include <cstdint>

#include "bucketline/base/random.h"
#include "bucketline/image/row_kernels.h"
#include "bucketline/image/spec.h"

namespace bucketline {

class ColourJitter {
 public:
  enum class Step { kBrightness, kContrast, kSaturation };

  ColourJitter() = default;  // changes nothing

  // `sample` is the generator of the whole sample. The draws are a stream of their own, so that the crop is the
  // same with and without jitter: always five, two for the order of the three steps, then the factors of
  // brightness, contrast and saturation.
  ColourJitter(const ImageSpec& spec, CounterRng sample);

  bool any() const { return any_; }
  const std::array<Step, 3>& order() const { return steps_; }
  double brightness() const { return brightness_; }
  double contrast() const { return contrast_; }
  double saturation() const { return saturation_; }

  // Changes `height` rows of `width` pixels, each row in `order`, one row behind the other. Bytes as Pillow's
  // ImageEnhance, which truncates after each step; floats clamped to 0..255 after each step.
  void Apply(uint8_t* levels, int width, int height, RowOrder order) const;
  void Apply(float* levels, int width, int height, RowOrder order) const;

 private:
  bool any_ = false;
  int channels_ = 3;
  std::array<Step, 3> steps_ = {Step::kBrightness, Step::kContrast, Step::kSaturation};
  double brightness_ = 1;
  double contrast_ = 1;
  double saturation_ = 1;
};

}  // namespace bucketline
