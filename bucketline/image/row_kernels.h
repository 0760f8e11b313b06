// RowKernels: the inner loops of resizing, on one row at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bucketline/image/resize_weights.h"

namespace bucketline {

enum class RowOrder {
  kInterleaved,  // r g b r g b ...
  kPlanar,       // all r, then all g, then all b
};

// Each pointer is a version of the same source for one kind of CPU; all give the same bits, because integers
// are exact and no floating-point operation is fused or reordered.
struct RowKernels {
  // `row` holds interleaved source pixels from weights.begin on; kRowSlack bytes behind it may be read, and
  // kOutputSlack values behind `out` written. Some versions are faster after PackWeightPairs.
  void (*horizontal_u8)(const uint8_t* row, const PillowWeights& weights, int channels, RowOrder order,
                        uint8_t* out);
  void (*horizontal_f32)(const uint8_t* row, const TensorflowWeights& weights, int channels, RowOrder order,
                         float* out);
  // out[i] = sum over t of rows[t][i] * weights[t], rounded to nearest for bytes.
  void (*vertical_u8)(const uint8_t* const* rows, const int32_t* weights, int taps, int count, uint8_t* out);
  void (*vertical_f32)(const float* const* rows, const float* weights, int taps, int count, float* out);
  // out[i] = (in[i] * scale - mean) / std
  void (*normalise_u8)(const uint8_t* in, int count, float scale, const float* mean, const float* std,
                       float* out);
  void (*normalise_f32)(const float* in, int count, float scale, const float* mean, const float* std,
                        float* out);
  // The same past the caches where the CPU can, for what this thread does not read again: whole lines of them, so `out` is
  // aligned to kCacheLine and `count` a multiple of what fits in one. Other threads see it after end_stream.
  void (*stream_u8)(const uint8_t* in, int count, float scale, const float* mean, const float* std,
                    float* out);
  void (*stream_f32)(const float* in, int count, float scale, const float* mean, const float* std,
                     float* out);
  void (*end_stream)();
  // Nearest, halves up, saturated.
  void (*round_f32)(const float* in, int count, uint8_t* out);
  // IEEE binary16, to nearest even; what is too large becomes infinite.
  void (*to_half)(const float* in, int count, uint16_t* out);
};

inline constexpr int kOutputSlack = 16;
inline constexpr size_t kCacheLine = 64;  // bytes

// Runs on every CPU this was compiled for.
const RowKernels& BaselineKernels();
// The best version for the CPU it runs on.
const RowKernels& FastestKernels();

}  // namespace bucketline
