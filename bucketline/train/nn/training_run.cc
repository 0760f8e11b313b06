#include "bucketline/train/nn/training_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <torch/utils.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/base/random.h"
#include "bucketline/store/blocking.h"
#include "bucketline/train/nn/optimizer.h"
#include "bucketline/train/nn/tensor_archive.h"

namespace bucketline::nn {
namespace {

constexpr char kModelFile[] = "model.safetensors";
constexpr char kOptimizerFile[] = "optimizer.safetensors";
constexpr char kStateFile[] = "state.json";
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr uint64_t kWeightsLimit = uint64_t{4} << 30;

SteadyTime Now() { return Clock::Real().Now(); }
double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// The training loader reads ahead while validation runs, so both need memory at once.
uint64_t TrainingMemory(const TrainOptions& options, const Dataset* validation) {
  return validation == nullptr ? options.memory : options.memory / 4 * 3;
}

LoaderOptions TrainingLoader(const TrainOptions& options, const Dataset* validation) {
  LoaderOptions loader;
  loader.batch_size = options.batch_size;
  loader.image = options.TrainImage();
  loader.shuffle = true;
  loader.seed = options.seed;
  loader.epochs = options.epochs;
  loader.threads = options.threads;
  loader.memory = TrainingMemory(options, validation);
  loader.on_error = options.on_error;
  loader.on_bad_sample = options.on_bad_sample;
  return loader;
}

MobileNetV2 MakeModel(const TrainOptions& options, LossKind loss, size_t classes) {
  ::torch::manual_seed(options.seed);
  MobileNetV2 model(MobileNetV2Options{
      .outputs = OutputsFor(loss, classes), .width = options.width, .dropout = options.dropout});
  for (at::Tensor& parameter : model->parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
  return model;
}

const Bytes& FileOf(const Checkpoint& checkpoint, const std::string& name, const std::string& uri) {
  const auto found = checkpoint.files.find(name);
  if (found == checkpoint.files.end()) {
    throw Error(ErrorCode::kCorruptData, "the checkpoint has no " + name, uri);
  }
  return found->second;
}

}  // namespace

TrainingRun::TrainingRun(Runtime& runtime, const Dataset& train, const Dataset* validation,
                         const TrainOptions& options, const TrainObserver& observer)
    : runtime_(runtime),
      validation_(validation != nullptr && validation->size() > 0 ? validation : nullptr),
      options_(options),
      observer_(observer),
      loss_(ChooseLoss(options.loss, train.classes().size())),
      model_(MakeModel(options, loss_, train.classes().size())),
      optimizer_(MakeOptimizer(*model_, options)),
      loader_(train, TrainingLoader(options, validation_)) {
  if (validation_ != nullptr && validation_->classes() != train.classes()) {
    throw Error(ErrorCode::kInvalidArgument, "the validation data has other classes than the training data",
                validation_->source());
  }
  if (loader_.steps() == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "the training data has " + std::to_string(train.size()) +
                    " images, which is less than one batch of " + std::to_string(options.batch_size) +
                    "; give a smaller batch size",
                train.source());
  }
  if (!options.checkpoint.empty()) checkpoints_.emplace(runtime, options.checkpoint);
  result_.best_validation_accuracy = kNone;
  result_.last.validation_loss = result_.last.validation_accuracy = kNone;
  LoadWeights();
  if (options.resume) Resume();
}

void TrainingRun::LoadWeights() {
  if (options_.weights.empty()) return;
  const Uri uri = Uri::Parse(options_.weights);
  const Bytes bytes =
      GetBytes(*runtime_.StoreFor(uri), GetRequest{.key = Runtime::KeyOf(uri)}, kWeightsLimit);
  try {
    // A classifier for other classes starts afresh: that is what fine-tuning wants.
    const size_t fresh = CopyTensors(LoadTensors(bytes), StateOf(*model_), options_.weights,
                                     [](const std::string& name) { return name.starts_with("classifier."); });
    if (fresh > 0) {
      runtime_.log()(LogLevel::kInfo,
                     options_.weights + ": its classifier is for other classes; it starts afresh");
    }
  } catch (const Error& error) {
    throw error.WithUri(options_.weights);
  }
}

void TrainingRun::Resume() {
  const std::optional<Checkpoint> checkpoint = checkpoints_->Load();
  if (!checkpoint) return;
  const std::string& uri = checkpoints_->uri();
  const RunState state = RunState::FromJson(FileOf(*checkpoint, kStateFile, uri).view(), uri);
  state.RequireSameRun(CurrentState(), uri);
  CopyTensors(LoadTensors(FileOf(*checkpoint, kModelFile, uri)), StateOf(*model_), uri);
  RestoreOptimizer(*optimizer_, *model_, LoadTensors(FileOf(*checkpoint, kOptimizerFile, uri)), uri);
  try {
    loader_.Restore(state.loader);
  } catch (const Error& error) {
    throw error.WithUri(uri);
  }
  step_ = last_saved_step_ = state.step;
  epoch_sums_ = {.loss = state.epoch_loss_sum, .correct = state.epoch_correct, .rows = state.epoch_rows};
  if (state.best_validation_accuracy >= 0) result_.best_validation_accuracy = state.best_validation_accuracy;
  if (observer_.on_resume) observer_.on_resume(step_, loader_.epoch());
}

TrainResult TrainingRun::Run(std::stop_token stop) {
  const SteadyTime start = last_save_ = Now();
  while (loader_.epoch() < options_.epochs && !stop.stop_requested()) RunEpoch(stop);
  if (checkpoints_ && step_ != last_saved_step_) SaveCheckpoint();
  result_.stopped = stop.stop_requested() && loader_.epoch() < options_.epochs;
  result_.steps = step_;
  result_.seconds = Seconds(Now() - start);
  result_.loader = loader_.Stats();
  result_.wait_seconds = Seconds(result_.loader.wait);
  return result_;
}

void TrainingRun::RunEpoch(std::stop_token stop) {
  epoch_start_ = Now();
  epoch_images_ = 0;
  wait_before_epoch_ = loader_.Stats().wait;
  model_->train();
  while (!stop.stop_requested()) {
    const std::optional<Batch> batch = loader_.Next();
    if (!batch) {
      FinishEpoch();
      return;
    }
    Step(*batch);
    if (CheckpointDue()) SaveCheckpoint();
  }
}

void TrainingRun::Step(const Batch& batch) {
  if (observer_.on_batch) {
    const std::string_view pixels(reinterpret_cast<const char*>(batch.pixels()), batch.pixel_bytes());
    observer_.on_batch(batch.epoch(), batch.position(), StableHash64(pixels));
  }
  // Dropout draws from LibTorch's generator; seeding it by step makes a resumed run draw the same.
  ::torch::manual_seed(Mix64(options_.seed + Mix64(step_ + 1)));
  optimizer_->zero_grad();
  const RowSums sums = ForwardBackward(model_, batch, loss_);
  optimizer_->step();
  ++step_;
  epoch_sums_.Add(sums);
  epoch_images_ += sums.rows;
  result_.images += sums.rows;
  if (!std::isfinite(epoch_sums_.loss)) {
    throw Error(ErrorCode::kInvalidArgument, "the loss is no longer a finite number at step " +
                                                 std::to_string(step_) + "; try a smaller learning rate");
  }
  if (!observer_.on_step) return;
  const double elapsed = Seconds(Now() - epoch_start_);
  observer_.on_step({.epoch = batch.epoch(),
                     .epochs = options_.epochs,
                     .step = step_,
                     .step_in_epoch = loader_.steps() - loader_.remaining(),
                     .steps_in_epoch = loader_.steps(),
                     .loss = epoch_sums_.MeanLoss(),
                     .accuracy = epoch_sums_.Accuracy(),
                     .images_per_second = static_cast<double>(epoch_images_) / elapsed,
                     .wait_share = Seconds(EpochWait()) / elapsed});
}

Duration TrainingRun::EpochWait() const { return loader_.Stats().wait - wait_before_epoch_; }

void TrainingRun::FinishEpoch() {
  const double seconds = Seconds(Now() - epoch_start_);
  EpochReport report{.epoch = loader_.epoch() - 1,
                     .step = step_,
                     .loss = epoch_sums_.MeanLoss(),
                     .accuracy = epoch_sums_.Accuracy(),
                     .validation_loss = kNone,
                     .validation_accuracy = kNone,
                     .images_per_second = static_cast<double>(epoch_images_) / seconds,
                     .wait_share = Seconds(EpochWait()) / seconds,
                     .seconds = seconds};
  if (validation_ != nullptr) {
    const RowSums sums = Validate();
    report.validation_loss = sums.MeanLoss();
    report.validation_accuracy = sums.Accuracy();
    result_.best_validation_accuracy =
        std::fmax(result_.best_validation_accuracy, report.validation_accuracy);  // ignores NaN
  }
  result_.last = report;
  epoch_sums_ = {};
  if (observer_.on_epoch) observer_.on_epoch(report);
  if (checkpoints_ && step_ != last_saved_step_) SaveCheckpoint();
}

RowSums TrainingRun::Validate() {
  LoaderOptions options;
  options.batch_size = options_.batch_size;
  options.image = options_.ValidationImage();
  options.epochs = 1;
  options.threads = options_.threads;
  options.memory = options_.memory - TrainingMemory(options_, validation_);
  options.on_error = options_.on_error;
  options.on_bad_sample = options_.on_bad_sample;
  Loader loader(*validation_, std::move(options));
  model_->eval();
  RowSums sums;
  while (const std::optional<Batch> batch = loader.Next()) sums.Add(Forward(model_, *batch, loss_));
  return sums;
}

bool TrainingRun::CheckpointDue() const {
  if (!checkpoints_) return false;
  const CheckpointSchedule& schedule = options_.checkpoint_every;
  return (schedule.steps && step_ - last_saved_step_ >= *schedule.steps) ||
         (schedule.period && Now() - last_save_ >= *schedule.period);
}

RunState TrainingRun::CurrentState() const {
  RunState state;
  state.step = step_;
  state.loader = loader_.State();
  state.epoch_loss_sum = epoch_sums_.loss;
  state.epoch_correct = epoch_sums_.correct;
  state.epoch_rows = epoch_sums_.rows;
  if (!std::isnan(result_.best_validation_accuracy)) {
    state.best_validation_accuracy = result_.best_validation_accuracy;
  }
  state.model = options_.model;
  state.width = options_.width;
  state.optimizer = OptimizerName(options_.optimizer);
  state.loss = LossName(loss_);
  state.classes = loader_.dataset().classes();
  state.image_size = options_.image_size;
  return state;
}

void TrainingRun::SaveCheckpoint() {
  const SteadyTime start = Now();
  Checkpoint checkpoint;
  checkpoint.step = step_;
  checkpoint.files[kModelFile] = SaveTensors(StateOf(*model_));
  checkpoint.files[kOptimizerFile] = SaveTensors(OptimizerState(*optimizer_, *model_));
  checkpoint.files[kStateFile] = Bytes::Copy(CurrentState().ToJson());
  checkpoints_->Save(checkpoint, options_.keep);
  last_save_ = Now();
  last_saved_step_ = step_;
  if (observer_.on_checkpoint) {
    observer_.on_checkpoint(step_, checkpoints_->uri(), Seconds(last_save_ - start));
  }
}

}  // namespace bucketline::nn
