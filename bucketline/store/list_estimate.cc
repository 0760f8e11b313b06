#include "bucketline/store/list_estimate.h"

#include <algorithm>
#include <utility>

namespace bucketline {

std::optional<double> ListEstimate::Take(double done, std::optional<double> left) {
  if (++answers_ == 2 * half_) {
    half_ = answers_;
    before_ = std::exchange(since_, {});
  }
  // What is not known may be anything.
  const double whole = left ? done + *left : std::numeric_limits<double>::infinity();
  since_.low = std::min(since_.low, whole);
  since_.high = std::max(since_.high, whole);
  if (!left || answers_ < kLeastAnswers) return std::nullopt;
  const double low = std::min(before_.low, since_.low);
  const double high = std::max(before_.high, since_.high);
  return high <= low * kAlike ? left : std::nullopt;
}

}  // namespace bucketline
