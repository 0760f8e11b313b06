// A Batch as LibTorch tensors, without a copy.
#pragma once

#include <torch/types.h>

#include "bucketline/loader/batch.h"

namespace bucketline::torch {

// Float32 or uint8, shape (B, C, H, W) whatever the layout in memory: an NHWC batch comes as channels_last
// strides. Shares the batch's memory, which stays alive as long as the tensor does. Throws kInvalidArgument
// for a raw batch.
at::Tensor Images(const Batch& batch);

// Int64 (B) for classes and integers, float32 (B) or (B, K) for floats and vectors. Shares the batch's
// memory. Throws kInvalidArgument when the batch has no labels.
at::Tensor Labels(const Batch& batch);

// Bool (B): false marks padding and masked rows. A copy.
at::Tensor Valid(const Batch& batch);

}  // namespace bucketline::torch
