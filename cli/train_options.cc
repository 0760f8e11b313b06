#include "cli/train_options.h"

#include <string>

#include "cli/common_options.h"

namespace bucketline::cli {
namespace {

void AddModelOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Model and optimiser";
  app.add_option("--model", train.model, "mobilenet_v2, or the .pt file or object of a TorchScript module")
      ->capture_default_str()
      ->group(group);
  app.add_option("--width", train.width, "MobileNetV2's width multiplier")
      ->capture_default_str()
      ->group(group);
  app.add_option("--dropout", train.dropout, "before MobileNetV2's classifier")
      ->capture_default_str()
      ->group(group);
  app.add_option("--weights", train.weights,
                 "safetensors file or object to start from, or a checkpoint's best.json")
      ->group(group);
  AddNamed<OptimizerKind>(app, "--optimizer", train.optimizer,
                          {{"adam", OptimizerKind::kAdam}, {"sgd", OptimizerKind::kSgd}}, "adam | sgd [adam]")
      ->group(group);
  app.add_option("--learning-rate", train.learning_rate)->capture_default_str()->group(group);
  app.add_option("--momentum", train.momentum, "of sgd")->capture_default_str()->group(group);
  app.add_option("--weight-decay", train.weight_decay)->capture_default_str()->group(group);
  AddNamed<LossKind>(
      app, "--loss", train.loss,
      {{"binary_crossentropy", LossKind::kBinaryCrossEntropy},
       {"categorical_crossentropy", LossKind::kCategoricalCrossEntropy}},
      "binary_crossentropy | categorical_crossentropy [by the classes or the module's outputs]")
      ->group(group);
  AddParsed<ClassWeights>(
      app, "--class-weights", train.class_weights, &ClassWeights::Parse,
      "balanced, or 0=1.0,1=2.5 by number or name: how much each class counts in the loss")
      ->group(group);
  app.add_option("--label-smoothing", train.label_smoothing, "share of the truth spread over all classes")
      ->capture_default_str()
      ->group(group);
}

void AddScheduleOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Learning-rate schedule";
  LearningRateSchedule& schedule = train.schedule;
  AddNamed<ScheduleKind>(app, "--schedule", schedule.kind,
                         {{"constant", ScheduleKind::kConstant},
                          {"linear", ScheduleKind::kLinear},
                          {"cosine", ScheduleKind::kCosine},
                          {"step", ScheduleKind::kStep}},
                         "constant | linear | cosine | step [constant]")
      ->group(group);
  AddParsed<TrainingSpan>(app, "--warmup", schedule.warmup, &TrainingSpan::Parse,
                          "500steps or 1epoch: the rate first rises linearly")
      ->group(group);
  app.add_option("--schedule-end", schedule.final_fraction,
                 "share of the learning rate at which linear and cosine end [0]")
      ->group(group);
  AddParsed<TrainingSpan>(app, "--schedule-every", schedule.every, &TrainingSpan::Parse,
                          "of step: the rate falls after each 30epochs [30epochs]")
      ->group(group);
  app.add_option("--schedule-factor", schedule.factor, "of step: by this factor [0.1]")->group(group);
}

void AddValidationOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Judging by validation";
  AddNamed<Monitor>(app, "--monitor", train.monitor,
                    {{"accuracy", Monitor::kAccuracy}, {"loss", Monitor::kLoss}, {"auc", Monitor::kAuc}},
                    "accuracy | loss | auc: says which epoch is the best [accuracy]")
      ->group(group);
  app.add_option("--early-stop", train.early_stop,
                 "end after this many epochs that were not better than the best")
      ->check(CLI::Range(1, 1'000'000))
      ->group(group);
}

void AddDeviceOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Device";
  AddNamed<DeviceKind>(app, "--device", train.device,
                       {{"auto", DeviceKind::kAuto}, {"cpu", DeviceKind::kCpu}, {"cuda", DeviceKind::kCuda}},
                       "auto | cpu | cuda [auto: cuda when it is there]")
      ->group(group);
  AddNamed<Precision>(app, "--precision", train.precision,
                      {{"float32", Precision::kFloat32},
                       {"bfloat16", Precision::kBfloat16},
                       {"float16", Precision::kFloat16}},
                      "float32 | bfloat16 | float16 of activations; parameters stay float32 [float32]")
      ->group(group);
}

void AddCheckpointOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Checkpoints";
  app.add_option("--checkpoint", train.checkpoint,
                 "s3://bucket/prefix/ or a folder; latest.json and best.json name what to read")
      ->group(group);
  AddParsed<CheckpointSchedule>(app, "--checkpoint-every", train.checkpoint_every, &CheckpointSchedule::Parse,
                                "60s or 500steps; else at the end of each epoch")
      ->group(group);
  app.add_option("--keep", train.keep, "checkpoints that stay, the best one besides")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--resume", train.resume, "continue after the last complete checkpoint, if there is one")
      ->group(group);
}

void AddRankOptions(CLI::App& app, TrainOptions& train) {
  const std::string group = "Several processes (torchrun --no-python -- bucketline train ...)";
  auto* rank = app.add_option("--rank", train.ranks.rank, "of this process [as torchrun, SLURM or MPI say]");
  auto* world_size =
      app.add_option("--world-size", train.ranks.world_size, "how many processes train together");
  rank->needs(world_size)->group(group);
  world_size->needs(rank)->check(CLI::Range(1, 1 << 24))->group(group);
  app.add_flag("--sync-bn", train.sync_batch_norm,
               "normalise batches over the rows of all ranks, not of each by itself")
      ->group(group);
  AddParsed<Duration>(app, "--rank-timeout", train.rank_timeout, &ParseDuration,
                      "how long one rank waits for the others [10m]")
      ->group(group);
}

void RequireSchedule(const CLI::App& app, const std::string& option, bool fits,
                     const std::string& schedules) {
  if (app.count(option) > 0 && !fits) {
    throw CLI::ValidationError(option, "only --schedule " + schedules + " has this");
  }
}

}  // namespace

void AddTrainOptions(CLI::App& app, TrainOptions& train) {
  AddModelOptions(app, train);
  AddScheduleOptions(app, train);
  AddValidationOptions(app, train);
  AddDeviceOptions(app, train);
  AddCheckpointOptions(app, train);
  AddRankOptions(app, train);
}

void CheckTrainOptions(const CLI::App& app, TrainOptions& train) {
  const ScheduleKind kind = train.schedule.kind;
  RequireSchedule(app, "--schedule-every", kind == ScheduleKind::kStep, "step");
  RequireSchedule(app, "--schedule-factor", kind == ScheduleKind::kStep, "step");
  RequireSchedule(app, "--schedule-end", kind == ScheduleKind::kLinear || kind == ScheduleKind::kCosine,
                  "linear or cosine");
  try {
    if (app.count("--rank") == 0) train.ranks = LauncherRanks(ProcessEnvironment()).value_or(Ranks());
    train.Validate();
  } catch (const Error& error) {
    throw CLI::ValidationError("train", error.message());
  }
}

}  // namespace bucketline::cli
