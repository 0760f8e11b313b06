// RunState: everything of a training run that is not a tensor; the checkpoint's state.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/loader/batch.h"
#include "bucketline/train/options.h"

namespace bucketline {

struct RunState {
  uint64_t step = 0;  // optimiser steps done
  LoaderState loader;
  // Of the epoch that the loader stands in, so that its figures go on where they were.
  double epoch_loss_sum = 0;
  uint64_t epoch_correct = 0;
  uint64_t epoch_rows = 0;
  double best_validation_accuracy = -1;  // below 0: none yet
  // What the tensors belong to: a run resumes only with the same.
  std::string model;
  double width = 1;
  std::string optimizer;
  std::string loss;
  std::vector<std::string> classes;
  int image_size = 0;

  std::string ToJson() const;
  // Throws kCorruptData naming `origin`.
  static RunState FromJson(std::string_view json, const std::string& origin);

  // Throws kInvalidArgument naming the first thing that differs from what `current` would save.
  void RequireSameRun(const RunState& current, const std::string& origin) const;
};

}  // namespace bucketline
