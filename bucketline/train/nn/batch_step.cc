#include "bucketline/train/nn/batch_step.h"

#include <algorithm>

#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/torch/tensors.h"
#include "bucketline/train/nn/device.h"
#include "bucketline/train/nn/precision.h"

namespace bucketline::nn {
namespace {

at::Tensor BinaryLoss(const at::Tensor& logits, const at::Tensor& labels, const LossOptions& options) {
  const double smoothing = options.label_smoothing;
  at::Tensor truth = labels.to(at::kFloat);
  if (smoothing > 0) truth = truth * (1 - smoothing) + smoothing / 2;
  const at::Tensor logit = logits.squeeze(1);
  if (!options.class_weights.defined()) return at::binary_cross_entropy_with_logits(logit, truth);
  const at::Tensor weights = options.class_weights.index_select(0, labels);
  return at::binary_cross_entropy_with_logits(logit, truth, weights, {}, at::Reduction::Sum) / weights.sum();
}

}  // namespace

void RowSums::Add(const RowSums& other) {
  loss += other.loss;
  correct += other.correct;
  rows += other.rows;
}

int64_t OutputsFor(LossKind loss, size_t classes) {
  return loss == LossKind::kBinaryCrossEntropy ? 1 : static_cast<int64_t>(classes);
}

at::Tensor MeanLoss(const at::Tensor& logits, const at::Tensor& labels, const LossOptions& options) {
  const at::Tensor exact = logits.to(at::kFloat);
  if (options.kind == LossKind::kBinaryCrossEntropy) return BinaryLoss(exact, labels, options);
  return at::cross_entropy_loss(exact, labels, options.class_weights, at::Reduction::Mean,
                                /*ignore_index=*/-100, options.label_smoothing);
}

at::Tensor Probabilities(const at::Tensor& logits, LossKind loss) {
  const at::Tensor exact = logits.to(at::kFloat);
  if (loss == LossKind::kCategoricalCrossEntropy) return exact.softmax(1);
  return at::cat({(-exact).sigmoid(), exact.sigmoid()}, 1);
}

at::Tensor Predicted(const at::Tensor& logits, LossKind loss) {
  return loss == LossKind::kBinaryCrossEntropy ? (logits.squeeze(1) > 0).to(at::kLong) : logits.argmax(1);
}

DeviceRows ValidRows(const Batch& batch, at::Device device) {
  DeviceRows rows{.images = torch::Images(batch),
                  .labels = torch::Labels(batch),
                  .indices = {batch.indices().begin(), batch.indices().end()}};
  const auto valid = batch.valid();
  if (std::find(valid.begin(), valid.end(), 0) != valid.end()) {
    const at::Tensor kept = torch::Valid(batch).nonzero().squeeze(1);
    rows.images = rows.images.index_select(0, kept);
    rows.labels = rows.labels.index_select(0, kept);
    size_t count = 0;
    for (size_t row = 0; row < valid.size(); ++row) {
      if (valid[row]) rows.indices[count++] = rows.indices[row];
    }
    rows.indices.resize(count);
  }
  rows.images = ToDevice(rows.images, device);
  rows.labels = ToDevice(rows.labels, device);
  return rows;
}

at::Tensor RunModel(Model& model, const at::Tensor& images, Precision precision) {
  const Autocast autocast(precision, images.device());
  return model.Forward(images);
}

RowSums SumsOf(const at::Tensor& mean_loss, const at::Tensor& logits, const at::Tensor& labels,
               LossKind loss) {
  const int64_t rows = labels.size(0);
  const at::Tensor correct = (Predicted(logits, loss) == labels).sum();
  // Both in one copy: each one waits for the device.
  const at::Tensor both =
      at::stack({mean_loss.detach().to(at::kDouble), correct.to(at::kDouble)}).to(at::kCPU);
  const auto* values = both.const_data_ptr<double>();
  return {.loss = values[0] * static_cast<double>(rows),
          .correct = static_cast<uint64_t>(values[1]),
          .rows = static_cast<uint64_t>(rows)};
}

}  // namespace bucketline::nn
