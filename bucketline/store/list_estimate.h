// ListEstimate: whether what a listing expects of its rest can be told to anybody.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace bucketline {

// What a listing expects of its rest is worth nothing while it changes: in its first pages, and where a page finds that the
// keys are not as they seemed. So it is told only after some pages, and once all expectations since a half of them were alike.
class ListEstimate {
 public:
  static constexpr uint64_t kLeastAnswers = 64;
  static constexpr double kAlike = 1.25;  // the largest of the whole to the smallest

  // After each answer, in pages: those so far, and what is expected of the rest. The rest again, or nullopt while nobody
  // should rely on it.
  std::optional<double> Take(double done, std::optional<double> left);

 private:
  struct Span {
    double low = std::numeric_limits<double>::max();
    double high = 0;
  };

  uint64_t answers_ = 0;
  uint64_t half_ = 1;  // answers when `before_` ended: the last power of two
  Span before_;        // of the whole, since half of that
  Span since_;
};

}  // namespace bucketline
