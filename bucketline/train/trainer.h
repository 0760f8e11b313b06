// Train: fits a model to a Dataset. Plain C++; LibTorch stays behind it (nn/).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "bucketline/dataset/dataset.h"
#include "bucketline/train/classification_report.h"
#include "bucketline/train/options.h"
#include "bucketline/train/training_data.h"

namespace bucketline {

// After each step.
struct TrainProgress {
  uint64_t epoch = 0;  // from 0
  uint64_t epochs = 0;
  uint64_t step = 0;             // of the whole run, from 1
  uint64_t step_in_epoch = 0;    // from 1
  uint64_t steps_in_epoch = 0;   // 0: a stream does not say
  double batch_loss = 0;         // of this step
  double loss = 0;               // mean over this epoch so far
  double accuracy = 0;           // mean over this epoch so far
  double learning_rate = 0;      // of this step
  double images_per_second = 0;  // over this epoch so far, in this process
  double wait_share = 0;         // of the time of this epoch, waiting for data
};

// After each epoch. Validation figures are NaN without a validation dataset.
struct EpochReport {
  uint64_t epoch = 0;
  uint64_t step = 0;
  double loss = 0;
  double accuracy = 0;
  double validation_loss = 0;
  double validation_accuracy = 0;
  double validation_auc = 0;  // NaN too where ClassificationReport has none
  bool best = false;          // better than every epoch before, by TrainOptions::monitor
  double learning_rate = 0;   // of the epoch's last step
  double images_per_second = 0;
  double wait_share = 0;
  double seconds = 0;
};

// Calls come from the training thread; figures are those of all ranks. Empty functions are skipped.
struct TrainObserver {
  std::function<void(uint64_t step, uint64_t epoch)> on_resume;
  std::function<void(const TrainProgress&)> on_step;
  // After each validation, before the epoch's report. The indices are record numbers of the validation dataset.
  std::function<void(const Predictions&, const ClassificationReport&)> on_validation;
  std::function<void(const EpochReport&)> on_epoch;
  // After a checkpoint has become the latest; it was written beside later steps.
  std::function<void(uint64_t step, const std::string& uri, double seconds)> on_checkpoint;
  // Each batch of this rank as it is used; its indices are record numbers of the training dataset.
  std::function<void(const Batch&)> on_batch;
};

struct TrainResult {
  EpochReport last;                     // of the last finished epoch; epoch counts from 0
  double best_validation_accuracy = 0;  // NaN without validation
  double best = 0;  // of the figure that TrainOptions::monitor names; NaN without validation
  std::optional<ClassificationReport> validation;  // of the last validation in this process
  uint64_t steps = 0;
  uint64_t images = 0;  // of all ranks, since this process began
  double seconds = 0;   // in this process
  double wait_seconds = 0;
  bool stopped = false;        // by the stop token: a checkpoint of that moment was written
  bool early_stopped = false;  // by TrainOptions::early_stop
  LoaderStats loader;          // of the training loader
};

// Trains until options.epochs are done, validation no longer improves (TrainOptions::early_stop) or `stop` is requested. `validation` may be empty (size() == 0).
// Classes come from train.classes(). A stream's schedule is constant, and its classes are not balanced. Throws kInvalidArgument (options, labels that are not classes,
// validation with other classes, a checkpoint or weights of another model or of other data), kUnsupported in
// a build without LibTorch, and whatever Loader::Next throws.
// With several ranks (TrainOptions::ranks) all of them call it with the same data and options, which is checked; they
// make the same steps and end together, after a stop on any of them too. Rank 0 alone reads and writes checkpoints.
// When a rank ends, the others throw kConnection, with its error where it could say one, or kTimeout.
// LibTorch's threads spin while they wait for each other unless the program was started with
// OMP_WAIT_POLICY=passive, which is much faster wherever they share CPUs with other work.
TrainResult Train(Runtime& runtime, const TrainingData& train, const Dataset* validation,
                  const TrainOptions& options, const TrainObserver& observer = {}, std::stop_token stop = {});

// Throws kUnsupported in a build without LibTorch, saying what to do. For callers that want to know before any work.
void RequireTrainer();

}  // namespace bucketline
