#include "bucketline/train/nn/batch_step.h"

#include <algorithm>

#include <torch/types.h>
#include <torch/utils.h>

#include "bucketline/torch/tensors.h"

namespace bucketline::nn {
namespace {

struct Evaluated {
  at::Tensor mean_loss;  // undefined when no row is valid
  RowSums sums;
};

Evaluated Evaluate(MobileNetV2& model, const Batch& batch, LossKind loss) {
  at::Tensor images = torch::Images(batch);
  at::Tensor labels = torch::Labels(batch);
  const auto valid = batch.valid();
  if (std::find(valid.begin(), valid.end(), 0) != valid.end()) {
    const at::Tensor rows = torch::Valid(batch).nonzero().squeeze(1);
    images = images.index_select(0, rows);
    labels = labels.index_select(0, rows);
  }
  const int64_t rows = labels.size(0);
  if (rows == 0) return {};
  const at::Tensor logits = model->forward(images);
  at::Tensor mean_loss, predicted;
  if (loss == LossKind::kBinaryCrossEntropy) {
    const at::Tensor logit = logits.squeeze(1);
    mean_loss = at::binary_cross_entropy_with_logits(logit, labels.to(at::kFloat));
    predicted = (logit > 0).to(at::kLong);
  } else {
    mean_loss = at::cross_entropy_loss(logits, labels);
    predicted = logits.argmax(1);
  }
  return {.mean_loss = mean_loss,
          .sums = {.loss = mean_loss.item<double>() * static_cast<double>(rows),
                   .correct = static_cast<uint64_t>((predicted == labels).sum().item<int64_t>()),
                   .rows = static_cast<uint64_t>(rows)}};
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

RowSums ForwardBackward(MobileNetV2& model, const Batch& batch, LossKind loss) {
  const Evaluated evaluated = Evaluate(model, batch, loss);
  if (evaluated.mean_loss.defined()) evaluated.mean_loss.backward();
  return evaluated.sums;
}

RowSums Forward(MobileNetV2& model, const Batch& batch, LossKind loss) {
  const ::torch::NoGradGuard no_grad;
  return Evaluate(model, batch, loss).sums;
}

}  // namespace bucketline::nn
