// ResizeWeights: for each output pixel of one axis, which source pixels it takes and how much of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bucketline/image/resize_filters.h"

namespace bucketline {

// Pillow's fixed point: a weight of 1 is 1 << kWeightBits.
inline constexpr int kWeightBits = 22;
inline constexpr int kPairBits = 11;

// T: int32_t (Pillow's fixed point) or float (TensorFlow).
template <typename T>
struct AxisWeights {
  int size = 0;   // output pixels
  int taps = 0;   // weights kept for each output pixel; zeros fill up
  int begin = 0;  // source pixels used by any output: [begin, end), in pixels of the whole image
  int end = 0;
  std::vector<int32_t> start;  // first source pixel of output i, less `begin`; start[i] + taps <= end - begin
  std::vector<int32_t> last;   // last source pixel of output i with a weight that is not 0, less `begin`
  std::vector<T> weight;       // [size][taps]

  // Only after PackWeightPairs: for each output and each pair of taps two words, each of two 16-bit halves:
  // the low kPairBits of both weights, then the rest of both.
  std::vector<int32_t> pairs;

  const T* WeightsOf(int i) const {
    return weight.data() + static_cast<size_t>(i) * static_cast<size_t>(taps);
  }
};

using PillowWeights = AxisWeights<int32_t>;
using TensorflowWeights = AxisWeights<float>;

// Both reuse the vectors of `out` and `scratch`. `reverse` gives the outputs right to left. Of a mirrored axis
// `begin`, `start` and `last` are in the order of the source all the same.
void BuildPillowWeights(const AxisPlan& axis, ResizeMethod method, bool reverse, std::vector<double>* scratch,
                        PillowWeights* out);
void BuildTensorflowWeights(const AxisPlan& axis, ResizeMethod method, bool reverse,
                            std::vector<double>* scratch, TensorflowWeights* out);

// Fills `pairs`: what a kernel needs that multiplies 16-bit halves, two taps at a time. The next Build
// empties it.
void PackWeightPairs(PillowWeights* weights);

}  // namespace bucketline
