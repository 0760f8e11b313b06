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

// Level: uint8_t (Pillow's arithmetic) or float (TensorFlow's). Horizontal first, each source row goes through
// that pass at once, into a ring of as many rows as one output row needs; an output row is made as soon as its
// last source row is there. Vertical first, the ring holds source rows. Bytes are rounded between the passes,
// so Pillow's order matters; for floats it does but for their last bits, and horizontal first is all there is.
template <typename Level, typename Weight>
class RowResizer {
 public:
  AxisWeights<Weight> x;
  AxisWeights<Weight> y;

  // Precondition: x and y are built and `reader` was started on their window.
  void Run(PixelReader& reader, const RowKernels& kernels, int channels, bool vertical_first,
           RowEmitter& emitter);

  // Gives back what is large.
  void Close();
  // Upper bound on the memory for these axes and for any part of them, whatever the order of the passes.
  static size_t ScratchBytes(const AxisPlan& x_plan, const AxisPlan& y_plan, Resize filter, int channels);

 private:
  void RunVerticalFirst(PixelReader& reader, const RowKernels& kernels, int channels, RowEmitter& emitter);
  int RingRows() const;
  void Reserve(size_t values);
  bool Skips(int row, int done) const;
  // The rows in the ring that output `done` takes; returns how many.
  int Collect(int done);
  Level* RingRow(int source_row) {
    return ring_.data() + static_cast<size_t>(source_row % ring_rows_) * ring_stride_;
  }

  std::vector<Level> ring_;
  std::vector<const Level*> rows_;  // the taps of one output row
  std::vector<Level> output_;
  std::vector<Level> between_;  // vertical first: after that pass
  size_t ring_stride_ = 0;
  int ring_rows_ = 1;
};

using PillowResizer = RowResizer<uint8_t, int32_t>;
using TensorflowResizer = RowResizer<float, float>;

}  // namespace bucketline
