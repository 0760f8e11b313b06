#include "bucketline/train/classification_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double Ratio(double part, double whole) { return whole == 0 ? kNone : part / whole; }

uint64_t Sum(const std::vector<uint64_t>& values) {
  return std::accumulate(values.begin(), values.end(), uint64_t{0});
}

double OneAgainstTheRest(const Predictions& predictions, uint32_t positive) {
  const size_t rows = predictions.rows();
  std::vector<float> scores(rows);
  std::vector<uint8_t> is_positive(rows);
  for (size_t row = 0; row < rows; ++row) {
    scores[row] = predictions.scores[row * predictions.classes + positive];
    is_positive[row] = predictions.labels[row] == positive;
  }
  return AreaUnderCurve(scores, is_positive);
}

double MeanArea(const Predictions& predictions) {
  if (predictions.scores.empty()) return kNone;
  if (predictions.classes == 2) return OneAgainstTheRest(predictions, 1);
  double sum = 0;
  for (uint32_t c = 0; c < predictions.classes; ++c) sum += OneAgainstTheRest(predictions, c);
  return sum / static_cast<double>(predictions.classes);
}

}  // namespace

double AreaUnderCurve(std::span<const float> scores, std::span<const uint8_t> positive) {
  if (std::any_of(scores.begin(), scores.end(), [](float score) { return std::isnan(score); })) {
    throw Error(ErrorCode::kInvalidArgument, "a score is not a number");
  }
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] < scores[b]; });
  // Twice the number of (positive, negative) pairs in the right order, a tie counting one: whole numbers, so
  // that the result does not depend on the order of summation.
  uint64_t positives = 0, negatives = 0;
  unsigned __int128 twice_won = 0;
  for (size_t begin = 0; begin < order.size();) {
    uint64_t tied_positives = 0, tied_negatives = 0;
    const float score = scores[order[begin]];
    for (; begin < order.size() && scores[order[begin]] == score; ++begin) {
      ++(positive[order[begin]] ? tied_positives : tied_negatives);
    }
    twice_won += static_cast<unsigned __int128>(tied_positives) * (2 * negatives + tied_negatives);
    positives += tied_positives;
    negatives += tied_negatives;
  }
  return Ratio(static_cast<double>(twice_won),
               2.0 * static_cast<double>(positives) * static_cast<double>(negatives));
}

ClassificationReport MakeReport(const Predictions& predictions) {
  const size_t classes = predictions.classes;
  ClassificationReport report;
  report.confusion.assign(classes, std::vector<uint64_t>(classes));
  uint64_t correct = 0;
  for (size_t row = 0; row < predictions.rows(); ++row) {
    const uint32_t label = predictions.labels[row], predicted = predictions.predicted[row];
    if (label >= classes || predicted >= classes) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("row {} has class {} and was predicted {}, of {} classes", row, label,
                              predicted, classes));
    }
    ++report.confusion[label][predicted];
    correct += label == predicted;
  }
  report.accuracy = Ratio(static_cast<double>(correct), static_cast<double>(predictions.rows()));
  for (size_t c = 0; c < classes; ++c) {
    uint64_t predicted = 0;
    for (const std::vector<uint64_t>& row : report.confusion) predicted += row[c];
    const uint64_t support = Sum(report.confusion[c]);
    const auto hits = static_cast<double>(report.confusion[c][c]);
    report.classes.push_back({.support = support,
                              .precision = Ratio(hits, static_cast<double>(predicted)),
                              .recall = Ratio(hits, static_cast<double>(support)),
                              .f1 = Ratio(2 * hits, static_cast<double>(predicted + support))});
  }
  report.auc = MeanArea(predictions);
  return report;
}

}  // namespace bucketline
