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

  int pad = 0;            // pixels of the row before the first wanted one
  int row_size = 0;       // pixels of the row; 0: out_size
  double inset = 0;       // where in [begin, begin + size) what is stretched begins, ...
  double extent = 0;      // ... and how long it is; 0: all of it
  bool mirrored = false;  // the source runs against the output: its last pixel is the axis's first

  int RowSize() const { return row_size > 0 ? row_size : out_size; }
  double Extent() const { return extent > 0 ? extent : size; }

  friend bool operator==(const AxisPlan&, const AxisPlan&) = default;
};

// In pixels of the image as it is shown.
struct CropPlan {
  AxisPlan x;
  AxisPlan y;
  bool flip = false;  // of the whole row, padding too

  ImageGeometry Geometry(int source_width, int source_height) const;
};

// Draws of `rng`, in this order: 1 for the flip, always; then, for kRandomResized, 2 for each try of a box
// (area, ratio; at most 10 tries), and 2 for the top and left of the first box that fits. None of them
// depends on anything but (spec, width, height). The box is torchvision's RandomResizedCrop.get_params, its
// generator aside. Throws kInvalidArgument for a kBox that leaves the image. Throws kInvalidArgument for a kBox that leaves the image.
CropPlan PlanCrop(const ImageSpec& spec, int width, int height, CounterRng rng);

// A CropPlan in terms of the source as it is stored. Its row is made row by row of the source, upwards; row j
// of y.out_size goes to row j of the output (or, when `descending`, to out_size - 1 - j; when `transposed`, to
// the column of that number).
struct SourcePlan {
  AxisPlan x;
  AxisPlan y;
  bool reverse_x = false;  // output columns right to left
  bool descending = false;
  bool transposed = false;
  bool vertical_first = false;  // the order of the passes that gives Pillow's rounding
};

// `orientation` is EXIF's, 1 to 8; `width` and `height` are those stored.
SourcePlan OrientPlan(const CropPlan& plan, int orientation, int width, int height);

// The same plan for the source at 1 / denominator of its size, which has `scaled_size` pixels.
AxisPlan ScaleAxis(const AxisPlan& axis, int denominator, int scaled_size);

}  // namespace bucketline
