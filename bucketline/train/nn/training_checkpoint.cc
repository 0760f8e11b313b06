// TrainingRun's checkpoints: what is saved, and going on from it.
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/store/blocking.h"
#include "bucketline/train/nn/optimizer.h"
#include "bucketline/train/nn/training_run.h"

namespace bucketline::nn {
namespace {

constexpr char kModelFile[] = "model.safetensors";
constexpr char kOptimizerFile[] = "optimizer.safetensors";
constexpr char kStateFile[] = "state.json";
constexpr uint64_t kWeightsLimit = uint64_t{4} << 30;

const Bytes& FileOf(const Checkpoint& checkpoint, const std::string& name, const std::string& uri) {
  const auto found = checkpoint.files.find(name);
  if (found == checkpoint.files.end()) {
    throw Error(ErrorCode::kCorruptData, "the checkpoint has no " + name, uri);
  }
  return found->second;
}

// A safetensors file, or that of the checkpoint which a best.json or latest.json names.
Bytes ReadWeights(Runtime& runtime, const std::string& text) {
  for (const auto& [name, which] :
       {std::pair<std::string, CheckpointFolder::Which>("best.json", CheckpointFolder::kBest),
        {"latest.json", CheckpointFolder::kLatest}}) {
    if (text != name && !text.ends_with("/" + name)) continue;
    const std::string folder = text == name ? "./" : text.substr(0, text.size() - name.size());
    const std::optional<Checkpoint> checkpoint = CheckpointFolder(runtime, folder).Load(which);
    if (!checkpoint) throw Error(ErrorCode::kNotFound, "there is no such checkpoint", text);
    return FileOf(*checkpoint, kModelFile, text);
  }
  const Uri uri = Uri::Parse(text);
  return GetBytes(*runtime.StoreFor(uri), GetRequest{.key = Runtime::KeyOf(uri)}, kWeightsLimit);
}

}  // namespace

void TrainingRun::LoadWeights() {
  if (options_.weights.empty()) return;
  const Bytes bytes = ReadWeights(runtime_, options_.weights);
  try {
    // A classifier for other classes starts afresh: that is what fine-tuning wants.
    const size_t fresh = CopyTensors(LoadTensors(bytes), model_->State(), options_.weights,
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
  const std::optional<Checkpoint> checkpoint = LoadCheckpoint();
  if (!checkpoint) return;
  const std::string& uri = options_.checkpoint;
  RunState state = RunState::FromJson(FileOf(*checkpoint, kStateFile, uri).view(), uri);
  if (state.schedule == schedule_->FingerprintInSteps()) state.schedule = schedule_->Fingerprint();
  state.RequireSameRun(CurrentState(loader_.State()), uri);
  CopyTensors(LoadTensors(FileOf(*checkpoint, kModelFile, uri)), model_->State(), uri);
  RestoreOptimizer(*optimizer_, parameters_, LoadTensors(FileOf(*checkpoint, kOptimizerFile, uri)), uri);
  try {
    loader_.Restore(state.loader);
  } catch (const Error& error) {
    throw error.WithUri(uri);
  }
  step_ = last_saved_step_ = state.step;
  epoch_sums_ = {.loss = state.epoch_loss_sum, .correct = state.epoch_correct, .rows = state.epoch_rows};
  improvement_ = state.improvement;
  loss_scale_ = state.loss_scale;
  if (state.best_validation_accuracy >= 0) result_.best_validation_accuracy = state.best_validation_accuracy;
  if (observer_.on_resume) observer_.on_resume(step_, loader_.epoch());
}

bool TrainingRun::CheckpointDue() const {
  const CheckpointSchedule& schedule = options_.checkpoint_every;
  if (schedule.steps && step_ - last_saved_step_ >= *schedule.steps) return true;
  // A store that is slower than the period gets the next checkpoint when it is ready for it.
  return schedule.period && Clock::Real().Now() - last_save_ >= *schedule.period && !checkpoints_->busy();
}

void TrainingRun::ReportCheckpoints() {
  for (const SavedCheckpoint& saved : checkpoints_->TakeSaved()) {
    if (observer_.on_checkpoint) observer_.on_checkpoint(saved.step, checkpoints_->uri(), saved.seconds);
  }
}

RunState TrainingRun::CurrentState(const LoaderState& loader) const {
  RunState state;
  state.step = step_;
  state.loader = loader;
  state.epoch_loss_sum = epoch_sums_.loss;
  state.epoch_correct = epoch_sums_.correct;
  state.epoch_rows = epoch_sums_.rows;
  if (!std::isnan(result_.best_validation_accuracy)) {
    state.best_validation_accuracy = result_.best_validation_accuracy;
  }
  state.improvement = improvement_;
  state.loss_scale = loss_scale_;
  state.model = model_->Fingerprint();
  state.width = options_.width;
  state.optimizer = OptimizerName(options_.optimizer);
  state.loss = LossName(loss_.kind);
  state.classes = train_.classes();
  state.image_size = static_cast<uint64_t>(options_.image_size);
  state.schedule = schedule_->Fingerprint();
  state.class_weights = class_weights_;
  state.label_smoothing = options_.label_smoothing;
  state.precision = PrecisionName(options_.precision);
  state.monitor = MonitorName(options_.monitor);
  return state;
}

// Copies the tensors, which takes milliseconds; hashing and writing them is the other thread's work.
void TrainingRun::SaveCheckpoint(const LoaderState& loader, bool best) {
  checkpoints_->Wait();  // before the copies, so that only one set of them is held
  ReportCheckpoints();
  checkpoints_->Save(
      [step = step_, model = CopyToCpu(model_->State()),
       optimizer = CopyToCpu(OptimizerState(*optimizer_, parameters_)), files = model_->Files(),
       state = CurrentState(loader).ToJson()] {
        Checkpoint checkpoint{.step = step, .files = files};
        checkpoint.files[kModelFile] = SaveTensors(model);
        checkpoint.files[kOptimizerFile] = SaveTensors(optimizer);
        checkpoint.files[kStateFile] = Bytes::Copy(state);
        return checkpoint;
      },
      best);
  last_save_ = Clock::Real().Now();
  last_saved_step_ = step_;
}

}  // namespace bucketline::nn
