// ResizeWeights: for each output pixel of one axis, which source pixels it takes and how much of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bucketline/image/crop_box.h"

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

// Both reuse the vectors of `out` and `scratch`. `reverse` gives the outputs right to left: a flip.
// Pillow's bilinear (triangle) filter; without antialias the two nearest pixels by distance.
void BuildPillowWeights(const AxisPlan& axis, bool antialias, bool reverse, std::vector<double>* scratch,
                        PillowWeights* out);
// tf.image.resize, method "bilinear": ScaleAndTranslate's triangle kernel, or ResizeBilinear's half-pixel
// centres.
void BuildTensorflowWeights(const AxisPlan& axis, bool antialias, bool reverse, std::vector<double>* scratch,
                            TensorflowWeights* out);

// Fills `pairs`: what a kernel needs that multiplies 16-bit halves, two taps at a time. The next Build
// empties it.
void PackWeightPairs(PillowWeights* weights);

// The most taps that an axis of `source` pixels resized to `resized` can have.
int MaxTaps(int source, int64_t resized);

}  // namespace bucketline
