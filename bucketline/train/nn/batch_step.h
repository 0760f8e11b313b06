// One batch through a model: loss, gradients and how many rows were right.
#pragma once

#include <cstdint>

#include "bucketline/loader/batch.h"
#include "bucketline/train/nn/mobilenet_v2.h"
#include "bucketline/train/options.h"

namespace bucketline::nn {

// Sums over valid rows, so that means over an epoch weigh every sample alike.
struct RowSums {
  double loss = 0;
  uint64_t correct = 0;
  uint64_t rows = 0;

  void Add(const RowSums& other);
  double MeanLoss() const { return rows == 0 ? 0 : loss / static_cast<double>(rows); }
  double Accuracy() const { return rows == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(rows); }
};

// Logits a model of `classes` classes has for this loss: 1 for binary cross-entropy.
int64_t OutputsFor(LossKind loss, size_t classes);

// Forward, and backward into the parameters' gradients (not zeroed here) of the mean loss over valid rows.
// A batch without a valid row leaves the gradients as they are.
RowSums ForwardBackward(MobileNetV2& model, const Batch& batch, LossKind loss);

// Forward only, without gradients. The model's mode (train or eval) is the caller's.
RowSums Forward(MobileNetV2& model, const Batch& batch, LossKind loss);

}  // namespace bucketline::nn
