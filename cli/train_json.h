// How the results of training look in JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bucketline/dataset/dataset.h"
#include "bucketline/train/classification_report.h"

namespace bucketline::cli {

nlohmann::ordered_json OrNull(double value);  // NaN has no JSON form

// {"accuracy", "auc", "classes": [{"name", "support", "precision", "recall", "f1"}], "confusion"}; confusion
// is [true][predicted], or for more than 100 classes a list of [true, predicted, count] without the zeros.
nlohmann::ordered_json ReportJson(const ClassificationReport& report,
                                  const std::vector<std::string>& classes);

// One JSON line a row: {"key", "label", "predicted", "scores"}; label and predicted are classes' names,
// scores the probability of each class, null where there were too many to keep.
void WritePredictions(const Predictions& predictions, const Dataset& dataset, const std::string& path);

}  // namespace bucketline::cli
