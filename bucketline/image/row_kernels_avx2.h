// The horizontal pass of bytes with 16-bit multiplications, two taps at a time. x86-64 only.
#pragma once

#include <cstdint>

#include "bucketline/image/row_kernels.h"

namespace bucketline {

// As RowKernels::horizontal_u8 for three channels, bit for bit. Preconditions: the CPU has AVX2, and
// `weights` went through PackWeightPairs.
void HorizontalPairsAvx2(const uint8_t* row, const PillowWeights& weights, RowOrder order, uint8_t* out);

}  // namespace bucketline
