#include "bucketline/train/nn/validation.h"

#include <optional>

#include <torch/types.h>
#include <torch/utils.h>

namespace bucketline::nn {
namespace {

void Append(const DeviceRows& rows, const at::Tensor& logits, LossKind loss, bool keep_scores,
            Predictions& into) {
  const at::Tensor labels = rows.labels.to(at::kCPU).contiguous();
  const at::Tensor predicted = Predicted(logits, loss).to(at::kCPU).contiguous();
  const auto* label = labels.const_data_ptr<int64_t>();
  const auto* choice = predicted.const_data_ptr<int64_t>();
  const auto count = static_cast<size_t>(labels.numel());
  into.labels.insert(into.labels.end(), label, label + count);
  into.predicted.insert(into.predicted.end(), choice, choice + count);
  into.indices.insert(into.indices.end(), rows.indices.begin(), rows.indices.end());
  if (!keep_scores) return;
  const at::Tensor scores = Probabilities(logits, loss).to(at::kCPU).contiguous();
  const auto* score = scores.const_data_ptr<float>();
  into.scores.insert(into.scores.end(), score, score + scores.numel());
}

}  // namespace

Validation Validate(Model& model, Loader& loader, LossKind loss, Precision precision, at::Device device,
                    const std::stop_token& stop) {
  const ::torch::NoGradGuard no_grad;
  model.SetTraining(false);
  Validation result;
  const Dataset& dataset = loader.dataset();
  result.predictions.classes = dataset.classes().size();
  const bool keep_scores = dataset.size() * dataset.classes().size() * sizeof(float) <= kScoreLimit;
  while (!stop.stop_requested()) {
    const std::optional<Batch> batch = loader.Next();
    if (!batch) {
      result.whole = true;
      break;
    }
    const DeviceRows rows = ValidRows(*batch, device);
    result.step_rows.push_back(static_cast<uint32_t>(rows.labels.size(0)));
    if (rows.labels.size(0) == 0) continue;
    const at::Tensor logits = RunModel(model, rows.images, precision);
    const at::Tensor mean_loss = MeanLoss(logits, rows.labels, {.kind = loss});
    result.sums.Add(SumsOf(mean_loss, logits, rows.labels, loss));
    Append(rows, logits, loss, keep_scores, result.predictions);
  }
  return result;
}

}  // namespace bucketline::nn
