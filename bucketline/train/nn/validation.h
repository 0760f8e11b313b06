// A whole pass over a dataset without learning from it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "bucketline/loader/loader.h"
#include "bucketline/train/classification_report.h"
#include "bucketline/train/nn/batch_step.h"

namespace bucketline::nn {

struct Validation {
  RowSums sums;
  Predictions predictions;
  std::vector<uint32_t> step_rows;  // rows of each step among the predictions
  bool whole = false;               // false: stopped before the end
};

// The bytes of scores that are kept at most; a larger dataset's report has no AUC.
constexpr uint64_t kScoreLimit = uint64_t{256} << 20;

// The first epoch of `loader`: of several ranks, this one's part of it. Leaves the model in evaluation mode.
Validation Validate(Model& model, Loader& loader, LossKind loss, Precision precision, at::Device device,
                    const std::stop_token& stop);

}  // namespace bucketline::nn
