#include "bucketline/train/improvement.h"

#include <cmath>

namespace bucketline {

std::string_view MonitorName(Monitor monitor) {
  switch (monitor) {
    case Monitor::kLoss:
      return "loss";
    case Monitor::kAuc:
      return "auc";
    case Monitor::kAccuracy:
      break;
  }
  return "accuracy";
}

bool Improvement::Add(Monitor monitor, double figure) {
  const bool better =
      !std::isnan(figure) && (!best || (monitor == Monitor::kLoss ? figure < *best : figure > *best));
  if (!better) {
    ++epochs_since;
    return false;
  }
  best = figure;
  epochs_since = 0;
  return true;
}

}  // namespace bucketline
