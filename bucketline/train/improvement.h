// Improvement: which epoch was best so far, and whether to stop waiting for a better one.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bucketline {

// What validation is judged by: more is better for accuracy and AUC, less for loss.
enum class Monitor { kAccuracy, kLoss, kAuc };

std::string_view MonitorName(Monitor monitor);  // "accuracy", "loss", "auc"

// The best figure so far and for how many epochs it has stood.
struct Improvement {
  std::optional<double> best = {};
  uint64_t epochs_since = 0;

  // Takes an epoch's figure; true when it is strictly better than all before. NaN never is.
  bool Add(Monitor monitor, double figure);

  // `patience`: epochs in a row without improvement after which to stop; 0: never.
  bool ShouldStop(uint64_t patience) const { return patience > 0 && epochs_since >= patience; }
};

}  // namespace bucketline
