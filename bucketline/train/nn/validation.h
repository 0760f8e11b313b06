// A whole pass over a dataset without learning from it.
#pragma once

#include <stop_token>

#include "bucketline/loader/loader.h"
#include "bucketline/train/classification_report.h"
#include "bucketline/train/nn/batch_step.h"

namespace bucketline::nn {

struct Validation {
  RowSums sums;
  Predictions predictions;
  bool whole = false;  // false: stopped before the end
};

// The bytes of scores that are kept at most; a larger dataset's report has no AUC.
constexpr uint64_t kScoreLimit = uint64_t{256} << 20;

// The first epoch of `loader`. Leaves the model in evaluation mode.
Validation Validate(Model& model, Loader& loader, LossKind loss, Precision precision, at::Device device,
                    const std::stop_token& stop);

}  // namespace bucketline::nn
