// TrainingRun: a model, its optimiser, the loaders, and where the run stands.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include <torch/optim/optimizer.h>

#include "bucketline/base/clock.h"
#include "bucketline/loader/loader.h"
#include "bucketline/train/checkpoint_writer.h"
#include "bucketline/train/improvement.h"
#include "bucketline/train/loss_scale.h"
#include "bucketline/train/nn/batch_step.h"
#include "bucketline/train/nn/gradient_averager.h"
#include "bucketline/train/nn/model.h"
#include "bucketline/train/nn/rank_group.h"
#include "bucketline/train/nn/validation.h"
#include "bucketline/train/run_state.h"
#include "bucketline/train/schedule.h"
#include "bucketline/train/trainer.h"
#include "bucketline/train/training_data.h"

namespace bucketline::nn {

// Lives for one Train call, on one thread. `ranks`: null: this process alone; else outlives it.
class TrainingRun {
 public:
  TrainingRun(Runtime& runtime, const TrainingData& train, const Dataset* validation,
              const TrainOptions& options, const TrainObserver& observer, at::Device device,
              RankGroup* ranks);

  TrainResult Run(std::stop_token stop);

 private:
  void RequireUsableData() const;
  bool root() const { return ranks_ == nullptr || ranks_->root(); }

  // training_ranks.cc
  std::string FactsToAgreeOn() const;
  void RequireAgreement();
  std::optional<Checkpoint> LoadCheckpoint();
  void ShareModel();
  void ShareBuffers();
  RowSums SumOverRanks(const RowSums& sums, const std::stop_token& stop);
  void GatherValidation(Validation& validation);
  // Before each step: of several ranks only what they agreed on after the last one.
  bool Stopping(const std::stop_token& stop) const;

  // training_checkpoint.cc
  void LoadWeights();
  void Resume();
  bool CheckpointDue() const;
  void SaveCheckpoint(const LoaderState& loader, bool best);
  void ReportCheckpoints();
  RunState CurrentState(const LoaderState& loader) const;

  void RunEpoch(const std::stop_token& stop);
  void Step(const Batch& batch, const std::stop_token& stop);
  void Backward(const at::Tensor& mean_loss, uint64_t rows);
  uint64_t ScheduleStep(const Batch& batch) const;
  void ReportStep(const Batch& batch, double batch_loss);
  void FinishEpoch(const std::stop_token& stop);
  Validation RunValidation(const std::stop_token& stop);
  double Monitored(const EpochReport& report) const;
  Duration EpochWait() const;

  Runtime& runtime_;
  const Dataset* validation_;
  const TrainOptions& options_;
  const TrainObserver& observer_;
  const at::Device device_;
  RankGroup* const ranks_;
  std::unique_ptr<Model> model_;
  LossOptions loss_;
  std::vector<double> class_weights_;
  NamedParameters parameters_;
  std::optional<GradientAverager> averager_;  // with several ranks
  std::unique_ptr<::torch::optim::Optimizer> optimizer_;
  const TrainingData train_;
  TrainingBatches loader_;
  std::optional<ScheduleOfRun> schedule_;
  std::optional<CheckpointWriter> checkpoints_;

  uint64_t step_ = 0;
  bool ranks_stop_ = false;    // one of them was asked to stop
  double learning_rate_ = 0;   // of the last step
  RowSums epoch_sums_;         // of the whole epoch, what a resumed run brings included
  uint64_t epoch_images_ = 0;  // of this epoch, in this process
  SteadyTime epoch_start_;
  Duration wait_before_epoch_{0};
  LoaderState last_batch_;  // the loader's state after the last batch that was used
  Improvement improvement_;
  LossScale loss_scale_;
  SteadyTime last_save_;
  uint64_t last_saved_step_ = 0;
  TrainResult result_;
};

}  // namespace bucketline::nn
