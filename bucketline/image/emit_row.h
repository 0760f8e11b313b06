// RowEmitter: finished rows of levels (0..255) -> values of the batch's row, normalised, in its layout.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bucketline/image/row_kernels.h"
#include "bucketline/image/spec.h"

namespace bucketline {

class RowEmitter {
 public:
  // `row` receives `height` rows of `width` pixels. Reuses its tables when spec and width are those of the
  // last call.
  void Prepare(const ImageSpec& spec, const RowKernels& kernels, int width, int height,
               std::span<uint8_t> row);

  // `levels` are in the order of order(), spec.channels * width of them.
  void Emit(int y, const uint8_t* levels) const { EmitLevels(y, levels); }
  void Emit(int y, const float* levels) const { EmitLevels(y, levels); }

  // What turns planes into a copy: the order of the layout.
  RowOrder order() const { return planes_ > 1 ? RowOrder::kPlanar : RowOrder::kInterleaved; }

  size_t CapacityBytes() const { return (mean_.capacity() + std_.capacity()) * sizeof(float); }

 private:
  template <typename Level>
  void EmitLevels(int y, const Level* levels) const;

  const RowKernels* kernels_ = nullptr;
  uint8_t* row_ = nullptr;
  PixelType type_ = PixelType::kUint8;
  size_t planes_ = 1;  // runs of memory that one row goes to
  size_t run_ = 0;     // values in each
  size_t height_ = 0;
  float scale_ = 1;
  std::vector<float> mean_;  // of each value of a row, so that every loop is a plain one
  std::vector<float> std_;
};

}  // namespace bucketline
