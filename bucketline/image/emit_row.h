// RowEmitter: finished rows of levels (0..255) -> values of the batch's row, normalised, in its layout.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bucketline/base/random.h"
#include "bucketline/image/colour_jitter.h"
#include "bucketline/image/row_kernels.h"
#include "bucketline/image/spec.h"

namespace bucketline {

// Where the resized part lies in the batch's row, and how its rows of levels run through it.
struct Placement {
  int width = 0;  // of the batch's row
  int height = 0;
  int left = 0;  // of the part in it; around it is level 0
  int top = 0;
  int part_width = 0;  // as placed
  int part_height = 0;
  bool descending = false;  // rows of levels come from the far end
  bool transposed = false;  // a row of levels is a column of the part

  int rows() const { return transposed ? part_width : part_height; }    // of levels
  int length() const { return transposed ? part_height : part_width; }  // pixels in each
};

class RowEmitter {
 public:
  // `row` receives the values. `rng` is the sample's, for jitter.
  void Prepare(const ImageSpec& spec, const RowKernels& kernels, const Placement& placement, CounterRng rng,
               std::span<uint8_t> row);

  // Row `y` of placement.rows(); `levels` are in the order of order(), spec.channels * length() of them.
  void Emit(int y, const uint8_t* levels);
  void Emit(int y, const float* levels);

  // After the last row: jitter needs them all, and other threads see the row from here on.
  void Finish();

  // What turns planes into a copy: the order of the layout.
  RowOrder order() const { return planes_ > 1 ? RowOrder::kPlanar : RowOrder::kInterleaved; }

  size_t channels() const { return channels_; }

  // Gives back what is large.
  void Close();

  // Upper bound on the memory of the tables and stores.
  static size_t ScratchBytes(const ImageSpec& spec, const Placement& placement);

 private:
  template <typename Level>
  void Take(int y, const Level* levels, std::vector<Level>* store);
  template <typename Level>
  void FinishStore(std::vector<Level>* store);
  template <typename Level>
  void EmitLevels(int y, const Level* levels);
  template <typename Level>
  void Convert(const Level* levels, size_t from, size_t count, uint8_t* to);
  template <typename Level>
  void Normalise(const Level* levels, size_t from, int count, float* to);
  bool MayStream(size_t bytes) const;
  void Scatter(int column, const uint8_t* values);
  void FillPadding();

  const RowKernels* kernels_ = nullptr;
  uint8_t* row_ = nullptr;
  PixelType type_ = PixelType::kUint8;
  size_t bytes_ = 1;  // of a value
  size_t channels_ = 1;
  size_t planes_ = 1;  // runs of memory that one row goes to
  size_t run_ = 0;     // values in each
  size_t values_ = 0;  // of one row of levels
  bool streams_ = false;
  Placement place_{};
  float scale_ = 1;
  std::vector<float> mean_;  // of each value of a row, so that every loop is a plain one
  std::vector<float> std_;
  std::vector<float> floats_;        // on the way to float16
  std::vector<uint8_t> turned_;      // a row's values on the way to a column
  std::vector<uint8_t> byte_store_;  // all levels, for jitter
  std::vector<float> float_store_;
  ColourJitter jitter_;
};

}  // namespace bucketline
