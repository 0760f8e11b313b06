// TrainReport: what `train` prints and logs while it runs, and at the end.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "cli/live_line.h"
#include <nlohmann/json.hpp>

#include "bucketline/dataset/dataset.h"
#include "bucketline/train/trainer.h"

namespace bucketline::cli {

// A live line on a terminal; a line for each epoch on standard output, or on standard error with --json; JSON
// lines in the log file.
class TrainReport {
 public:
  // Throws kIo when a file cannot be written. Empty paths: none.
  TrainReport(bool json, const std::string& log_path, const std::string& batch_log_path);

  void Begin(const Dataset& train, const Dataset* validation, const TrainOptions& options);
  TrainObserver Observer();
  void End(const TrainResult& result, const S3Counters& counters);

 private:
  void Say(const std::string& line);
  void Log(const nlohmann::ordered_json& object);
  void OnStep(const TrainProgress& progress);
  void OnEpoch(const EpochReport& report);

  const bool json_;
  uint64_t epochs_ = 0;
  LiveLine line_;
  std::ofstream log_;
  std::ofstream batch_log_;
};

}  // namespace bucketline::cli
