// One batch through a model: its loss, and how many rows were right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bucketline/loader/batch.h"
#include "bucketline/train/nn/model.h"
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

struct LossOptions {
  LossKind kind = LossKind::kBinaryCrossEntropy;
  at::Tensor class_weights = {};  // (classes) float32 on the model's device; undefined: every class alike
  double label_smoothing = 0;
};

// Logits a model of `classes` classes has for this loss: 1 for binary cross-entropy.
int64_t OutputsFor(LossKind loss, size_t classes);

// The mean over rows, weighted by class: sum(weight * loss) / sum(weight). `logits` (B, outputs) of any
// floating-point type, `labels` (B) int64. A float32 scalar.
at::Tensor MeanLoss(const at::Tensor& logits, const at::Tensor& labels, const LossOptions& options);

// (B, classes) float32 for either loss.
at::Tensor Probabilities(const at::Tensor& logits, LossKind loss);
at::Tensor Predicted(const at::Tensor& logits, LossKind loss);  // (B) int64

// A batch's valid rows on a device.
struct DeviceRows {
  at::Tensor images;
  at::Tensor labels;
  std::vector<uint64_t> indices;
};
DeviceRows ValidRows(const Batch& batch, at::Device device);

// Forward in the given precision; logits as the model gives them.
at::Tensor RunModel(Model& model, const at::Tensor& images, Precision precision);

RowSums SumsOf(const at::Tensor& mean_loss, const at::Tensor& logits, const at::Tensor& labels,
               LossKind loss);

}  // namespace bucketline::nn
