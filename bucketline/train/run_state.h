// RunState: everything of a training run that is not a tensor; the checkpoint's state.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/loader/batch.h"
#include "bucketline/train/improvement.h"
#include "bucketline/train/loss_scale.h"

namespace bucketline {

struct RunState {
  uint64_t step = 0;  // optimiser steps done
  LoaderState loader;
  // Of the epoch that the loader stands in, so that its figures go on where they were.
  double epoch_loss_sum = 0;
  uint64_t epoch_correct = 0;
  uint64_t epoch_rows = 0;
  double best_validation_accuracy = -1;  // below 0: none yet
  Improvement improvement;
  LossScale loss_scale;
  // What the tensors belong to: a run resumes only with the same.
  std::string model;
  double width = 1;
  std::string optimizer;
  std::string loss;
  std::vector<std::string> classes;
  uint64_t image_size = 0;
  std::string schedule = "constant";  // ScheduleOfRun::Fingerprint
  std::vector<double> class_weights;  // empty: every class alike
  double label_smoothing = 0;
  std::string precision = "float32";
  std::string monitor = "accuracy";

  std::string ToJson() const;
  // What a file of an earlier version lacks has the default that it was trained with. Throws kCorruptData
  // naming `origin`.
  static RunState FromJson(std::string_view json, const std::string& origin);

  // Throws kInvalidArgument naming the first thing that differs from what `current` would save.
  void RequireSameRun(const RunState& current, const std::string& origin) const;
};

}  // namespace bucketline
