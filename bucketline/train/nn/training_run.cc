#include "bucketline/train/nn/training_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <torch/utils.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/error.h"
#include "bucketline/base/random.h"
#include "bucketline/train/nn/device.h"
#include "bucketline/train/nn/optimizer.h"
#include "bucketline/train/nn/precision.h"

namespace bucketline::nn {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

SteadyTime Now() { return Clock::Real().Now(); }

// The training loader reads ahead while validation runs, so both need memory at once.
uint64_t TrainingMemory(const TrainOptions& options, const Dataset* validation) {
  return validation == nullptr ? options.memory : options.memory / 4 * 3;
}

LoaderOptions TrainingLoader(const TrainOptions& options, const Dataset* validation, at::Device device) {
  LoaderOptions loader;
  loader.batch_size = options.batch_size;
  loader.image = options.TrainImage();
  loader.shuffle = true;
  loader.window = options.window;
  loader.seed = options.seed;
  loader.epochs = options.epochs;
  loader.threads = options.threads;
  loader.memory = TrainingMemory(options, validation);
  loader.on_error = options.on_error;
  loader.on_bad_sample = options.on_bad_sample;
  loader.allocator = BatchAllocator(device);
  loader.rank = options.ranks.rank;
  loader.world_size = options.ranks.world_size;
  return loader;
}

std::vector<uint64_t> ImagesByClass(const Dataset& dataset) {
  std::vector<uint64_t> images(dataset.classes().size());
  for (uint64_t i = 0; i < dataset.size(); ++i) ++images[static_cast<size_t>(dataset.LabelInteger(i))];
  return images;
}

at::Tensor WeightsTensor(const std::vector<double>& weights, at::Device device) {
  return weights.empty() ? at::Tensor() : ::torch::tensor(weights, at::kFloat).to(device);
}

Error Invalid(std::string message, const std::string& uri = {}) {
  return Error(ErrorCode::kInvalidArgument, std::move(message), uri);
}

}  // namespace

TrainingRun::TrainingRun(Runtime& runtime, const TrainingData& train, const Dataset* validation,
                         const TrainOptions& options, const TrainObserver& observer, at::Device device,
                         RankGroup* ranks)
    : runtime_(runtime),
      validation_(validation != nullptr && validation->size() > 0 ? validation : nullptr),
      options_(options),
      observer_(observer),
      device_(device),
      ranks_(ranks),
      train_(train),
      loader_(train, TrainingLoader(options, validation_, device)) {
  auto [model, loss] =
      MakeModel(runtime, options, train.classes().size(), options.sync_batch_norm ? ranks : nullptr);
  model_ = std::move(model);
  RequireUsableData();
  model_->Prepare(device);
  if (!options.class_weights.empty()) {
    const std::vector<uint64_t> images =
        train.dataset() != nullptr ? ImagesByClass(*train.dataset()) : std::vector<uint64_t>();
    class_weights_ = options.class_weights.Resolve(train.classes(), images);
  }
  loss_ = {.kind = loss,
           .class_weights = WeightsTensor(class_weights_, device),
           .label_smoothing = options.label_smoothing};
  parameters_ = model_->Parameters();
  if (ranks_ != nullptr) averager_.emplace(*ranks_, parameters_);
  optimizer_ = MakeOptimizer(parameters_, options);
  if (const std::optional<uint64_t> steps = loader_.steps()) {
    schedule_.emplace(options.schedule, *steps * options.epochs, *steps);
  } else {
    schedule_.emplace(ScheduleOfRun::Endless(options.schedule));
  }
  if (!options.checkpoint.empty() && root()) checkpoints_.emplace(runtime, options.checkpoint, options.keep);
  result_.best_validation_accuracy = kNone;
  result_.last.validation_loss = result_.last.validation_accuracy = result_.last.validation_auc = kNone;
  RequireAgreement();
  LoadWeights();
  if (options.resume) Resume();
  ShareModel();
}

void TrainingRun::RequireUsableData() const {
  const TrainingData& train = train_;
  if (loader_.steps() == 0) {
    throw Invalid("the training data has " + std::to_string(train.images().value_or(0)) +
                      " images, which is less than one batch of " + std::to_string(options_.batch_size) +
                      (ranks_ == nullptr ? "" : " on each of " + std::to_string(ranks_->size()) + " ranks") +
                      "; give a smaller batch size",
                  train.source());
  }
  if (train.stream() != nullptr && options_.class_weights.balanced) {
    throw Invalid(
        "a stream does not say how many images each class has, so classes cannot be balanced; give the "
        "weights "
        "as numbers",
        train.source());
  }
  if (validation_ == nullptr) {
    if (options_.early_stop > 0) throw Invalid("an early stop needs validation data to judge by");
    return;
  }
  if (validation_->classes() != train.classes()) {
    throw Invalid("the validation data has other classes than the training data", validation_->source());
  }
  if (options_.monitor != Monitor::kAuc) return;
  if (validation_->size() * train.classes().size() * sizeof(float) > kScoreLimit) {
    throw Invalid(
        "there are too many validation images and classes to keep the scores that AUC needs; monitor "
        "accuracy or loss",
        validation_->source());
  }
  const std::vector<uint64_t> images = ImagesByClass(*validation_);
  const auto missing = std::find(images.begin(), images.end(), 0);
  if (missing != images.end()) {
    throw Invalid("AUC is not defined: there is no validation image of class " +
                      train.classes()[static_cast<size_t>(missing - images.begin())] +
                      "; monitor accuracy or loss",
                  validation_->source());
  }
}

TrainResult TrainingRun::Run(std::stop_token stop) {
  const SteadyTime start = last_save_ = Now();
  last_batch_ = loader_.State();
  while (loader_.epoch() < options_.epochs && !Stopping(stop) &&
         !improvement_.ShouldStop(options_.early_stop)) {
    RunEpoch(stop);
  }
  if (checkpoints_) {
    if (step_ != last_saved_step_) SaveCheckpoint(last_batch_, /*best=*/false);
    checkpoints_->Wait();
    ReportCheckpoints();
  }
  result_.early_stopped = loader_.epoch() < options_.epochs && improvement_.ShouldStop(options_.early_stop);
  result_.stopped = loader_.epoch() < options_.epochs && !result_.early_stopped;
  result_.steps = step_;
  result_.best = improvement_.best.value_or(kNone);
  result_.seconds = Seconds(Now() - start);
  result_.loader = loader_.Stats();
  result_.wait_seconds = Seconds(result_.loader.wait);
  return result_;
}

void TrainingRun::RunEpoch(const std::stop_token& stop) {
  epoch_start_ = Now();
  epoch_images_ = 0;
  wait_before_epoch_ = loader_.Stats().wait;
  model_->SetTraining(true);
  while (!Stopping(stop)) {
    const std::optional<Batch> batch = loader_.Next();
    if (!batch) {
      if (epoch_sums_.rows == 0 && train_.stream() != nullptr)
        throw Invalid("an epoch of this stream had no image to train on", train_.source());
      FinishEpoch(stop);
      return;
    }
    Step(*batch, stop);
    last_batch_ = batch->State();
    if (!checkpoints_) continue;
    ReportCheckpoints();
    // The end of an epoch saves anyway, after validation.
    if (!loader_.AtEnd() && CheckpointDue()) SaveCheckpoint(last_batch_, /*best=*/false);
  }
}

void TrainingRun::Step(const Batch& batch, const std::stop_token& stop) {
  if (observer_.on_batch) observer_.on_batch(batch);
  // Dropout draws from LibTorch's generator; seeding it by step makes a resumed run draw the same. Ranks draw apart.
  ::torch::manual_seed(Mix64(options_.seed + Mix64(step_ + 1)) + options_.ranks.rank);
  learning_rate_ = options_.learning_rate * schedule_->Factor(ScheduleStep(batch));
  SetLearningRate(*optimizer_, learning_rate_);
  optimizer_->zero_grad();
  const DeviceRows rows = ValidRows(batch, device_);
  RowSums sums;
  if (rows.labels.size(0) > 0) {
    const at::Tensor logits = RunModel(*model_, rows.images, options_.precision);
    const at::Tensor mean_loss = MeanLoss(logits, rows.labels, loss_);
    Backward(mean_loss, rows.indices.size());
    sums = SumsOf(mean_loss, logits, rows.labels, loss_.kind);
  } else if (averager_) {
    Backward({}, 0);
  }
  if (ranks_ != nullptr) sums = SumOverRanks(sums, stop);
  ++step_;
  epoch_sums_.Add(sums);
  epoch_images_ += sums.rows;
  result_.images += sums.rows;
  if (!std::isfinite(epoch_sums_.loss)) {
    throw Invalid("the loss is no longer a finite number at step " + std::to_string(step_) +
                  "; try a smaller learning rate");
  }
  ReportStep(batch, sums.MeanLoss());
}

// By its place in the run, so that a run that goes on with other ranks or batches has the rates of its epochs.
uint64_t TrainingRun::ScheduleStep(const Batch& batch) const {
  const std::optional<uint64_t> steps = loader_.steps();
  if (!steps) return step_;
  return batch.epoch() * *steps + batch.position() / (options_.ranks.world_size * options_.batch_size);
}

// Gradients, then the optimiser's step, unless float16 gradients have overflowed. A rank without rows has no loss.
void TrainingRun::Backward(const at::Tensor& mean_loss, uint64_t rows) {
  if (averager_) averager_->Begin(static_cast<double>(rows) / options_.batch_size);
  const bool scaled = options_.precision == Precision::kFloat16;
  if (mean_loss.defined()) (scaled ? mean_loss * loss_scale_.scale : mean_loss).backward();
  if (averager_ && !averager_->Finish()) return;
  if (!scaled) {
    optimizer_->step();
    return;
  }
  std::vector<at::Tensor> gradients;
  for (const auto& [name, parameter] : parameters_) {
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  }
  const bool finite = Unscale(gradients, loss_scale_.scale);
  if (finite) optimizer_->step();
  loss_scale_.Update(finite);
}

void TrainingRun::ReportStep(const Batch& batch, double batch_loss) {
  if (!observer_.on_step) return;
  const double elapsed = Seconds(Now() - epoch_start_);
  observer_.on_step({.epoch = batch.epoch(),
                     .epochs = options_.epochs,
                     .step = step_,
                     .step_in_epoch = loader_.step_in_epoch(),
                     .steps_in_epoch = loader_.steps().value_or(0),
                     .batch_loss = batch_loss,
                     .loss = epoch_sums_.MeanLoss(),
                     .accuracy = epoch_sums_.Accuracy(),
                     .learning_rate = learning_rate_,
                     .images_per_second = static_cast<double>(epoch_images_) / elapsed,
                     .wait_share = Seconds(EpochWait()) / elapsed});
}

Duration TrainingRun::EpochWait() const { return loader_.Stats().wait - wait_before_epoch_; }

void TrainingRun::FinishEpoch(const std::stop_token& stop) {
  const double seconds = Seconds(Now() - epoch_start_);
  EpochReport report{.epoch = loader_.epoch() - 1,
                     .step = step_,
                     .loss = epoch_sums_.MeanLoss(),
                     .accuracy = epoch_sums_.Accuracy(),
                     .validation_loss = kNone,
                     .validation_accuracy = kNone,
                     .validation_auc = kNone,
                     .learning_rate = learning_rate_,
                     .images_per_second = static_cast<double>(epoch_images_) / seconds,
                     .wait_share = Seconds(EpochWait()) / seconds,
                     .seconds = seconds};
  if (validation_ != nullptr) {
    const Validation validation = RunValidation(stop);
    // A checkpoint from before the end of the epoch makes the resumed run validate it.
    if (!validation.whole) return;
    result_.validation = MakeReport(validation.predictions);
    report.validation_loss = validation.sums.MeanLoss();
    report.validation_accuracy = validation.sums.Accuracy();
    report.validation_auc = result_.validation->auc;
    result_.best_validation_accuracy =
        std::fmax(result_.best_validation_accuracy, report.validation_accuracy);  // ignores NaN
    report.best = improvement_.Add(options_.monitor, Monitored(report));
    if (observer_.on_validation) observer_.on_validation(validation.predictions, *result_.validation);
  }
  result_.last = report;
  epoch_sums_ = {};
  last_batch_ = loader_.State();
  if (observer_.on_epoch) observer_.on_epoch(report);
  if (checkpoints_ && (step_ != last_saved_step_ || report.best)) SaveCheckpoint(last_batch_, report.best);
}

double TrainingRun::Monitored(const EpochReport& report) const {
  switch (options_.monitor) {
    case Monitor::kLoss:
      return report.validation_loss;
    case Monitor::kAuc:
      return report.validation_auc;
    case Monitor::kAccuracy:
      break;
  }
  return report.validation_accuracy;
}

Validation TrainingRun::RunValidation(const std::stop_token& stop) {
  LoaderOptions options;
  options.batch_size = options_.batch_size;
  options.image = options_.ValidationImage();
  options.epochs = 1;
  options.threads = options_.threads;
  options.memory = options_.memory - TrainingMemory(options_, validation_);
  options.on_error = options_.on_error;
  options.on_bad_sample = options_.on_bad_sample;
  options.allocator = BatchAllocator(device_);
  options.rank = options_.ranks.rank;
  options.world_size = options_.ranks.world_size;
  options.last = LastPolicy::kPartial;
  Loader loader(*validation_, std::move(options));
  if (ranks_ == nullptr) return Validate(*model_, loader, loss_.kind, options_.precision, device_, stop);
  ShareBuffers();  // each rank's batch norm has seen other rows
  Validation validation = Validate(*model_, loader, loss_.kind, options_.precision, device_, stop);
  GatherValidation(validation);
  return validation;
}

}  // namespace bucketline::nn
