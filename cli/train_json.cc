#include "cli/train_json.h"

#include <cmath>
#include <fstream>

#include "bucketline/base/error.h"

namespace bucketline::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kDenseClasses = 100;

ordered_json ConfusionJson(const std::vector<std::vector<uint64_t>>& confusion) {
  if (confusion.size() <= kDenseClasses) return confusion;
  ordered_json entries = ordered_json::array();
  for (size_t truth = 0; truth < confusion.size(); ++truth) {
    for (size_t predicted = 0; predicted < confusion.size(); ++predicted) {
      if (confusion[truth][predicted] > 0) entries.push_back({truth, predicted, confusion[truth][predicted]});
    }
  }
  return entries;
}

ordered_json ScoresJson(const Predictions& predictions, size_t row) {
  if (predictions.scores.empty()) return nullptr;
  const float* scores = predictions.scores.data() + row * predictions.classes;
  return std::vector<float>(scores, scores + predictions.classes);
}

}  // namespace

ordered_json OrNull(double value) { return std::isnan(value) ? ordered_json(nullptr) : ordered_json(value); }

ordered_json ReportJson(const ClassificationReport& report, const std::vector<std::string>& names) {
  ordered_json classes = ordered_json::array();
  for (size_t i = 0; i < report.classes.size(); ++i) {
    const ClassFigures& figures = report.classes[i];
    classes.push_back({{"name", names[i]},
                       {"support", figures.support},
                       {"precision", OrNull(figures.precision)},
                       {"recall", OrNull(figures.recall)},
                       {"f1", OrNull(figures.f1)}});
  }
  return {{"accuracy", OrNull(report.accuracy)},
          {"auc", OrNull(report.auc)},
          {"classes", classes},
          {"confusion", ConfusionJson(report.confusion)}};
}

void WritePredictions(const Predictions& predictions, const Dataset& dataset, const std::string& path) {
  std::ofstream file(path, std::ios::trunc);
  for (size_t row = 0; row < predictions.rows(); ++row) {
    const ordered_json line = {{"key", dataset.Key(predictions.indices[row])},
                               {"label", dataset.classes()[predictions.labels[row]]},
                               {"predicted", dataset.classes()[predictions.predicted[row]]},
                               {"scores", ScoresJson(predictions, row)}};
    file << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  }
  file.close();
  if (!file) throw Error(ErrorCode::kIo, "cannot write the predictions to this file", path);
}

}  // namespace bucketline::cli
