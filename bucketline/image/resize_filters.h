// ResizeFilters: the weights of one output pixel, as Pillow, torchvision and TensorFlow compute them.
#pragma once

#include "bucketline/image/crop_box.h"

namespace bucketline {

struct ResizeMethod {
  Resize filter = Resize::kBilinear;
  bool antialias = true;
};

// Source pixels [start, start + count) of an axis, counted from its first one as shown (a mirrored axis from
// its end).
struct Span {
  int start;
  int count;
};

// Writes the `count` weights of output `output` (0 .. resized - 1), which sum to about 1, to `weights`, which
// has room for MaxTaps(axis, method). Not for kNearest.
using SpanFunction = Span (*)(const AxisPlan& axis, ResizeMethod method, int64_t output, double* weights);

Span PillowSpan(const AxisPlan& axis, ResizeMethod method, int64_t output, double* weights);
Span TensorflowSpan(const AxisPlan& axis, ResizeMethod method, int64_t output, double* weights);

// The only source pixel of an output of kNearest. Pillow adds up the steps, and so its rounding errors: calls
// with the outputs in ascending order are O(1) each.
class NearestPixels {
 public:
  NearestPixels(const AxisPlan& axis, ResizeFamily family);
  int At(int64_t output);

 private:
  const AxisPlan& axis_;
  ResizeFamily family_;
  double step_;
  double position_;
  int64_t next_ = 0;
};

// The most weights that an output of this axis can have.
int MaxTaps(const AxisPlan& axis, Resize filter);

}  // namespace bucketline
