// TrainingRun: a model, its optimiser, the loaders, and where the run stands.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include <torch/optim/optimizer.h>

#include "bucketline/base/clock.h"
#include "bucketline/loader/loader.h"
#include "bucketline/train/checkpoint.h"
#include "bucketline/train/nn/batch_step.h"
#include "bucketline/train/nn/mobilenet_v2.h"
#include "bucketline/train/run_state.h"
#include "bucketline/train/trainer.h"

namespace bucketline::nn {

// Lives for one Train call, on one thread.
class TrainingRun {
 public:
  TrainingRun(Runtime& runtime, const Dataset& train, const Dataset* validation, const TrainOptions& options,
              const TrainObserver& observer);

  TrainResult Run(std::stop_token stop);

 private:
  void LoadWeights();
  void Resume();
  void RunEpoch(std::stop_token stop);
  void Step(const Batch& batch);
  void FinishEpoch();
  RowSums Validate();
  bool CheckpointDue() const;
  void SaveCheckpoint();
  RunState CurrentState() const;
  Duration EpochWait() const;

  Runtime& runtime_;
  const Dataset* validation_;
  const TrainOptions& options_;
  const TrainObserver& observer_;
  const LossKind loss_;
  MobileNetV2 model_;
  std::unique_ptr<::torch::optim::Optimizer> optimizer_;
  Loader loader_;
  std::optional<CheckpointFolder> checkpoints_;

  uint64_t step_ = 0;
  RowSums epoch_sums_;         // of the whole epoch, what a resumed run brings included
  uint64_t epoch_images_ = 0;  // of this epoch, in this process
  SteadyTime epoch_start_;
  Duration wait_before_epoch_{0};
  SteadyTime last_save_;
  uint64_t last_saved_step_ = 0;
  TrainResult result_;
};

}  // namespace bucketline::nn
