// TrainReport: what `train` prints and logs while it runs, and at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/line_file.h"
#include "cli/live_line.h"
#include <nlohmann/json.hpp>

#include "bucketline/dataset/dataset.h"
#include "bucketline/train/event_log.h"
#include "bucketline/train/trainer.h"

namespace bucketline::cli {

struct TrainReportOptions {
  bool json = false;
  // Each may be empty: none.
  std::string log;          // file for metrics as JSON lines
  std::string batch_log;    // file for each batch's position and pixel hash
  std::string predictions;  // file for the last validation's scores
  std::string tensorboard;  // prefix or folder for event files
  bool batches_only = false;

  // What a rank other than 0 reports: its own batches, into a file of its own, BATCH_LOG.RANK.
  TrainReportOptions OfRank(uint64_t rank) const;
};

// A live line on a terminal; a line for each epoch on standard output, or on standard error with --json; JSON
// lines in the log file.
class TrainReport {
 public:
  // Throws kIo when a file cannot be written. The Runtime outlives it.
  TrainReport(Runtime& runtime, const TrainReportOptions& options);

  void Begin(const TrainingData& train, const Dataset* validation, const TrainOptions& options);
  TrainObserver Observer();
  void End(const TrainResult& result, const S3Counters& counters);

 private:
  void Say(const std::string& line);
  void Log(const nlohmann::ordered_json& object);
  void OnBatch(const Batch& batch);
  void OnStep(const TrainProgress& progress);
  void OnEpoch(const EpochReport& report);
  EventLog* Events(uint64_t first_step);  // null without --tensorboard
  void PrintFigures(const TrainResult& result) const;

  Runtime& runtime_;
  const TrainReportOptions options_;
  std::vector<std::string> classes_;
  std::optional<Dataset> validation_;
  uint64_t epochs_ = 0;
  LiveLine line_;
  LineFile log_;
  LineFile batch_log_;
  std::unique_ptr<EventLog> events_;  // from the first step or epoch on
};

}  // namespace bucketline::cli
