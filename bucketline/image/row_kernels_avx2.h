// What instructions of AVX2 do that no compiler makes of plain loops. x86-64 only.
#pragma once

#include <cstdint>

#include "bucketline/image/row_kernels.h"

namespace bucketline {

// All as the functions of RowKernels, bit for bit. Precondition: the CPU has AVX2.

// horizontal_u8 for three channels with 16-bit multiplications, two taps at a time, after PackWeightPairs.
void HorizontalPairsAvx2(const uint8_t* row, const PillowWeights& weights, RowOrder order, uint8_t* out);

void StreamU8Avx2(const uint8_t* in, int count, float scale, const float* mean, const float* std, float* out);
void StreamF32Avx2(const float* in, int count, float scale, const float* mean, const float* std, float* out);
void EndStreamAvx2();

}  // namespace bucketline
