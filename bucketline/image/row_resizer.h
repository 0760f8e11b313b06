// RowResizer: source rows in, resized rows out, as they come; never the whole image in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bucketline/image/emit_row.h"
#include "bucketline/image/pixel_reader.h"
#include "bucketline/image/resize_weights.h"
#include "bucketline/image/row_kernels.h"

namespace bucketline {

// Level: uint8_t (Pillow's arithmetic) or float (TensorFlow's). Each source row goes through the horizontal
// pass at once, into a ring of as many rows as one output row needs; an output row is made as soon as its
// last source row is there. TensorFlow's ScaleAndTranslate goes vertically first; without rounding between
// the passes that is the same but for the last bits of a float.
template <typename Level, typename Weight>
class RowResizer {
 public:
  AxisWeights<Weight> x;
  AxisWeights<Weight> y;

  // Precondition: x and y are built and `reader` was started on their window.
  void Run(PixelReader& reader, const RowKernels& kernels, int channels, const RowEmitter& emitter);

  // Gives back what is large.
  void Close();
  size_t CapacityBytes() const;
  // Upper bound of CapacityBytes for these axes.
  static size_t ScratchBytes(const AxisPlan& x_plan, const AxisPlan& y_plan, int channels);

 private:
  Level* RingRow(int source_row) {
    return ring_.data() + static_cast<size_t>(source_row % y.taps) * ring_stride_;
  }

  std::vector<Level> ring_;
  std::vector<const Level*> rows_;  // the taps of one output row
  std::vector<Level> output_;
  size_t ring_stride_ = 0;
};

using PillowResizer = RowResizer<uint8_t, int32_t>;
using TensorflowResizer = RowResizer<float, float>;

}  // namespace bucketline
