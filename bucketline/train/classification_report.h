// What a classifier got right and wrong: confusion matrix, precision and recall of each class, area under the
// ROC curve.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bucketline {

// A classifier's answers on a dataset, row by row in the order of the dataset.
struct Predictions {
  size_t classes = 0;
  std::vector<uint64_t> indices = {};  // record numbers in the dataset
  std::vector<uint32_t> labels = {};   // the true class of each row
  // (rows, classes) probabilities, row-major; or empty when there were too many to keep.
  std::vector<float> scores = {};
  std::vector<uint32_t> predicted = {};  // by row

  size_t rows() const { return labels.size(); }
};

// NaN marks a ratio with nothing below the line: precision of a class that was never predicted, recall of one
// that never occurs.
struct ClassFigures {
  uint64_t support = 0;  // rows of this class
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

struct ClassificationReport {
  std::vector<std::vector<uint64_t>> confusion;  // [true class][predicted class]
  std::vector<ClassFigures> classes;
  double accuracy = 0;
  // Two classes: of class 1 against class 0. More: the mean over classes of one against the rest. NaN when a
  // class has no row, or there are no scores.
  double auc = 0;
};

// Throws kInvalidArgument for labels or predictions that are no class.
ClassificationReport MakeReport(const Predictions& predictions);

// The probability that a random positive row scores above a random negative one, ties counting half: the
// exact area under the ROC curve (the Mann-Whitney statistic). NaN when either kind is missing. Throws
// kInvalidArgument for a score that is NaN. O(n log n).
double AreaUnderCurve(std::span<const float> scores, std::span<const uint8_t> positive);

}  // namespace bucketline
