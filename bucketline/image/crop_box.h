// CropBox: which part of the source becomes the row. Integers in, integers out; the same on every CPU.
#pragma once

#include <cstdint>

#include "bucketline/base/random.h"
#include "bucketline/image/decoder.h"

namespace bucketline {

// One axis: [begin, begin + size) of the source is stretched to `resized` pixels, and [out_begin, out_begin +
// out_size) of those are wanted. Pixels outside the source range play no part, as if the image had been cut
// first.
struct AxisPlan {
  int begin = 0;
  int size = 0;
  int64_t resized = 0;
  int64_t out_begin = 0;
  int out_size = 0;

  friend bool operator==(const AxisPlan&, const AxisPlan&) = default;
};

struct CropPlan {
  AxisPlan x;
  AxisPlan y;
  bool flip = false;

  ImageGeometry Geometry(int source_width, int source_height) const;
};

// Draws of `rng`, in this order: 1 for the flip, always; then, for kRandomResized, 2 for each try of a box
// (area, ratio; at most 10 tries), and 2 for the top and left of the first box that fits. None of them
// depends on anything but (spec, width, height). The box is torchvision's RandomResizedCrop.get_params, its
// generator aside.
CropPlan PlanCrop(const ImageSpec& spec, int width, int height, CounterRng rng);

}  // namespace bucketline
