// Whole small training runs.
#include <atomic>
#include <cmath>
#include <optional>
#include <vector>

#include "tests/train/on_libtorch.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/store/fault_store.h"
#include "bucketline/train/checkpoint.h"
#include "bucketline/train/run_state.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

TEST_F(OnLibTorch, TrainReportsEachStepAndEpoch) {
  const Dataset all = Open(Labels::Folder());
  const auto [train, validation] = all.Split(0.75);
  TrainOptions options{.width = 0.35, .epochs = 2, .batch_size = 5, .image_size = 32, .memory = 64_MiB};
  uint64_t steps = 0, epochs = 0, batches = 0;
  TrainObserver observer;
  observer.on_step = [&](const TrainProgress& progress) {
    EXPECT_EQ(progress.step, ++steps);
    EXPECT_EQ(progress.step_in_epoch, (steps - 1) % progress.steps_in_epoch + 1);
  };
  observer.on_epoch = [&](const EpochReport& report) {
    EXPECT_EQ(report.epoch, epochs++);
    EXPECT_GE(report.validation_accuracy, 0);
  };
  observer.on_batch = [&](const Batch&) { ++batches; };
  const TrainResult result = Train(runtime_, train, &validation, options, observer);
  EXPECT_EQ(epochs, 2u);
  EXPECT_EQ(steps, 2 * (train.size() / 5));
  EXPECT_EQ(batches, steps);
  EXPECT_EQ(result.steps, steps);
  EXPECT_EQ(result.images, steps * 5);
  EXPECT_FALSE(result.stopped);
  EXPECT_GE(result.best_validation_accuracy, result.last.validation_accuracy);
}

TEST_F(OnLibTorch, TheSameSeedGivesTheSameRun) {
  const TrainOptions options{
      .width = 0.35, .epochs = 1, .seed = 3, .batch_size = 8, .image_size = 32, .flip = 0.5, .threads = 1};
  const Dataset all = Open(Labels::Folder());
  EXPECT_EQ(Train(runtime_, all, nullptr, options).last.loss,
            Train(runtime_, all, nullptr, options).last.loss);
}

TEST_F(OnLibTorch, AStopEndsAfterTheStepAndIsResumed) {
  const Dataset all = Open(Labels::Folder());
  TrainOptions options{.width = 0.35, .epochs = 2, .batch_size = 8, .image_size = 32, .threads = 1};
  const double whole = Train(runtime_, all, nullptr, options).last.loss;

  options.checkpoint = "mem://c/run";
  std::stop_source stop;
  TrainObserver observer;
  observer.on_step = [&](const TrainProgress& progress) {
    if (progress.step == 4) stop.request_stop();
  };
  const TrainResult stopped = Train(runtime_, all, nullptr, options, observer, stop.get_token());
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(stopped.steps, 4u);

  options.resume = true;
  uint64_t resumed_at = 0;
  TrainObserver resumed;
  resumed.on_resume = [&](uint64_t step, uint64_t) { resumed_at = step; };
  const TrainResult rest = Train(runtime_, all, nullptr, options, resumed);
  EXPECT_EQ(resumed_at, 4u);
  EXPECT_EQ(rest.steps, 6u);
  EXPECT_EQ(rest.last.loss, whole);
}

TEST_F(OnLibTorch, WhatCannotBeTrainedOnIsRefused) {
  const TrainOptions options{.width = 0.35, .epochs = 1, .batch_size = 8, .image_size = 32};
  const auto code = [&](const Dataset& train, const Dataset* validation, const TrainOptions& with) {
    try {
      Train(runtime_, train, validation, with);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  const Dataset all = Open(Labels::Folder());
  EXPECT_EQ(code(Open(Labels::None()), nullptr, options), ErrorCode::kInvalidArgument);
  TrainOptions large = options;
  large.batch_size = kImages + 1;
  EXPECT_EQ(code(all, nullptr, large), ErrorCode::kInvalidArgument);
  const Dataset unlabelled = Open(Labels::None());
  EXPECT_EQ(code(all, &unlabelled, options), ErrorCode::kInvalidArgument);
}

// The losses and learning rates of every step.
struct Trace {
  std::vector<double> losses, rates;
  TrainObserver Observer(std::stop_source* stop = nullptr, uint64_t stop_after = 0) {
    TrainObserver observer;
    observer.on_step = [this, stop, stop_after](const TrainProgress& progress) {
      losses.push_back(progress.batch_loss);
      rates.push_back(progress.learning_rate);
      if (progress.step == stop_after) stop->request_stop();
    };
    return observer;
  }
};

TEST_F(OnLibTorch, AScheduledRunIsResumedBitForBit) {
  TrainOptions options = SmallRun(3);
  options.schedule = {.kind = ScheduleKind::kCosine, .warmup = {2, false}, .final_fraction = 0.01};
  options.class_weights = ClassWeights::Parse("balanced");
  options.label_smoothing = 0.1;
  Trace whole;
  Train(runtime_, Open(), nullptr, options, whole.Observer());
  ASSERT_EQ(whole.rates.size(), 9u);
  const ScheduleOfRun schedule(options.schedule, 9, 3);
  for (uint64_t step = 0; step < 9; ++step) {
    EXPECT_EQ(whole.rates[step], options.learning_rate * schedule.Factor(step));
  }

  options.checkpoint = "mem://c/run";
  options.resume = true;
  Trace parts;
  for (const uint64_t stop_after : {4, 6, 7, 0}) {  // 6 is the end of an epoch
    std::stop_source stop;
    Train(runtime_, Open(), nullptr, options, parts.Observer(&stop, stop_after), stop.get_token());
  }
  EXPECT_EQ(parts.losses, whole.losses);
  EXPECT_EQ(parts.rates, whole.rates);

  options.schedule.final_fraction = 0;
  const Error error = ErrorOf(Open(), nullptr, options);
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr("schedule"));
}

TEST_F(OnLibTorch, TheLastCheckpointOfAFinishedRunIsTheWholeRuns) {
  TrainOptions options = SmallRun(2);
  options.checkpoint = "mem://c/run";
  options.checkpoint_every.steps = 3;  // falls on the end of the epoch: saved once
  std::vector<uint64_t> saved;
  TrainObserver observer;
  observer.on_checkpoint = [&](uint64_t step, const std::string&, double) { saved.push_back(step); };
  Train(runtime_, Open(), nullptr, options, observer);
  EXPECT_THAT(saved, ::testing::ElementsAre(3, 6));
  options.resume = true;
  const TrainResult again = Train(runtime_, Open(), nullptr, options);
  EXPECT_EQ(again.images, 0u);
  EXPECT_FALSE(again.stopped);
}

// Validation that never improves, because nothing is learnt at a rate of almost nothing.
TEST_F(OnLibTorch, StopsEarlyAndAResumedRunStaysStopped) {
  const auto [train, validation] = Open().Split(0.7);
  TrainOptions options = SmallRun(50);
  options.learning_rate = 1e-30;
  options.early_stop = 2;
  options.checkpoint = "mem://c/run";
  std::vector<bool> best;
  TrainObserver observer;
  observer.on_epoch = [&](const EpochReport& report) { best.push_back(report.best); };
  const TrainResult result = Train(runtime_, train, &validation, options, observer);
  EXPECT_TRUE(result.early_stopped);
  EXPECT_FALSE(result.stopped);
  ASSERT_GE(best.size(), 3u);
  EXPECT_FALSE(best[best.size() - 1]);
  EXPECT_FALSE(best[best.size() - 2]);
  EXPECT_TRUE(best[best.size() - 3]);
  EXPECT_LT(best.size(), 50u);

  options.resume = true;
  const TrainResult again = Train(runtime_, train, &validation, options);
  EXPECT_TRUE(again.early_stopped);
  EXPECT_EQ(again.images, 0u);
}

TEST_F(OnLibTorch, TheBestEpochsCheckpointIsBestJson) {
  const auto [train, validation] = Open().Split(0.7);
  TrainOptions options = SmallRun(6);
  options.monitor = Monitor::kLoss;
  options.keep = 1;
  options.checkpoint = "mem://c/run";
  uint64_t best_step = 0;
  double least = INFINITY;
  TrainObserver observer;
  observer.on_epoch = [&](const EpochReport& report) {
    EXPECT_EQ(report.best, report.validation_loss < least);
    if (report.validation_loss < least) best_step = report.step;
    least = std::min(least, report.validation_loss);
  };
  const TrainResult result = Train(runtime_, train, &validation, options, observer);
  EXPECT_EQ(result.best, least);
  CheckpointFolder folder(runtime_, "mem://c/run");
  const std::optional<Checkpoint> best = folder.Load(CheckpointFolder::kBest);
  ASSERT_TRUE(best);
  EXPECT_EQ(best->step, best_step);
  EXPECT_EQ(RunState::FromJson(best->files.at("state.json").view(), "").improvement.best, least);
  EXPECT_EQ(folder.Load()->step, result.steps);
}

TEST_F(OnLibTorch, WeightsMayBeTheBestCheckpoints) {
  const auto [train, validation] = Open().Split(0.7);
  TrainOptions options = SmallRun(3);
  options.checkpoint = "mem://c/run";
  Train(runtime_, train, &validation, options);
  const uint64_t step = CheckpointFolder(runtime_, "mem://c/run").Load(CheckpointFolder::kBest)->step;
  TrainOptions from = SmallRun(1);
  from.learning_rate = 1e-30;  // so that validation is that of the weights
  from.weights = "mem://c/run/best.json";
  TrainOptions direct = from;
  for (const ObjectInfo& object : ListAll(*checkpoints_, "run/step-")) {
    if (object.key.find(std::to_string(step) + "/model") != object.key.npos)
      direct.weights = "mem://c/" + object.key;
  }
  ASSERT_NE(direct.weights, from.weights);
  EXPECT_EQ(Train(runtime_, train, &validation, from).last.validation_loss,
            Train(runtime_, train, &validation, direct).last.validation_loss);
  from.weights = "mem://c/other/best.json";
  EXPECT_EQ(ErrorOf(train, nullptr, from).code(), ErrorCode::kNotFound);
}

TEST_F(OnLibTorch, AStopInValidationIsMadeUpForOnResume) {
  const auto [train, validation] = Open().Split(0.7);
  TrainOptions options = SmallRun(2);
  options.checkpoint = "mem://c/whole";
  std::vector<double> whole;
  TrainObserver observer;
  observer.on_epoch = [&](const EpochReport& report) { whole.push_back(report.validation_loss); };
  Train(runtime_, train, &validation, options, observer);

  options.checkpoint = "mem://c/parts";
  options.resume = true;
  std::vector<double> parts;
  std::stop_source stop;
  const uint64_t last_step = train.size() / options.batch_size;
  observer.on_step = [&](const TrainProgress& progress) {
    if (progress.step == last_step) stop.request_stop();
  };
  observer.on_epoch = [&](const EpochReport& report) { parts.push_back(report.validation_loss); };
  EXPECT_TRUE(Train(runtime_, train, &validation, options, observer, stop.get_token()).stopped);
  EXPECT_TRUE(parts.empty());
  observer.on_step = {};
  Train(runtime_, train, &validation, options, observer);
  EXPECT_EQ(parts, whole);
}

TEST_F(OnLibTorch, TheReportIsOfTheValidationImages) {
  const auto [train, validation] = Open().Split(0.7);
  std::optional<Predictions> seen;
  TrainObserver observer;
  observer.on_validation = [&](const Predictions& predictions, const ClassificationReport&) {
    seen = predictions;
  };
  const TrainResult result = Train(runtime_, train, &validation, SmallRun(1), observer);
  ASSERT_TRUE(result.validation && seen);
  ASSERT_EQ(seen->rows(), validation.size());
  std::vector<uint64_t> images(2);
  for (uint64_t row = 0; row < validation.size(); ++row) {
    EXPECT_EQ(seen->indices[row], row);
    EXPECT_EQ(seen->labels[row], validation.LabelInteger(row));
    EXPECT_NEAR(seen->scores[2 * row] + seen->scores[2 * row + 1], 1, 1e-6);
    EXPECT_EQ(seen->predicted[row], seen->scores[2 * row + 1] > 0.5);
    ++images[seen->labels[row]];
  }
  EXPECT_EQ(result.validation->classes[0].support, images[0]);
  EXPECT_EQ(result.validation->classes[1].support, images[1]);
  EXPECT_EQ(result.validation->accuracy, result.last.validation_accuracy);
  EXPECT_EQ(result.validation->auc, result.last.validation_auc);
}

TEST_F(OnLibTorch, ACheckpointThatCannotBeWrittenEndsTheRunSoonAndLeavesTheLast) {
  // As a store does whose permission was taken away.
  std::atomic<bool> refuse = false;
  const Error refusal(ErrorCode::kPermissionDenied, "the store refuses");
  runtime_.AddStore(
      "r", std::make_shared<FaultStore>(MakeMemoryStore("r"), [&](const StoreCall& call, uint64_t) {
        return refuse && call.op == StoreOp::kOpenWriter ? Fault::FailBefore(refusal) : Fault::None();
      }));
  TrainOptions options = SmallRun(1000);
  options.checkpoint = "mem://r/run";
  options.checkpoint_every.steps = 2;
  TrainObserver observer;
  uint64_t steps = 0;
  observer.on_step = [&](const TrainProgress& progress) { steps = progress.step; };
  observer.on_checkpoint = [&](uint64_t, const std::string&, double) { refuse = true; };
  try {
    Train(runtime_, Open(), nullptr, options, observer);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
    EXPECT_THAT(error.uri(), HasSubstr("mem://r/run/"));
  }
  EXPECT_LT(steps, 20u);
  EXPECT_TRUE(CheckpointFolder(runtime_, "mem://r/run").Load());
}

TEST_F(OnLibTorch, WhatValidationCannotJudgeIsRefused) {
  const Dataset all = Open();
  TrainOptions options = SmallRun(1);
  options.early_stop = 3;
  EXPECT_THAT(ErrorOf(all, nullptr, options).message(), HasSubstr("early stop"));
  options.early_stop = 0;
  options.monitor = Monitor::kAuc;
  const std::string one_class = all.classes()[0];
  const Dataset lopsided = all.Filter([&](std::string_view key) { return key.find(one_class) != key.npos; });
  ASSERT_GT(lopsided.size(), 0u);
  EXPECT_THAT(ErrorOf(all, &lopsided, options).message(), HasSubstr(all.classes()[1]));
  options.class_weights = ClassWeights::Parse("balanced");
  options.monitor = Monitor::kAccuracy;
  options.batch_size = 2;
  EXPECT_THAT(ErrorOf(lopsided, nullptr, options).message(), HasSubstr("no image to balance"));
}

TEST_F(OnLibTorch, CudaWhereThereIsNoneSaysSo) {
  TrainOptions options = SmallRun(1);
  options.device = DeviceKind::kCuda;
  try {
    Train(runtime_, Open(), nullptr, options);
    GTEST_SKIP() << "there is a CUDA device";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(error.message(), HasSubstr("no CUDA device can be used"));
  }
}

TEST_F(OnLibTorch, Bfloat16LearnsAsFloat32DoesAndFloat16NeedsAGpu) {
  TrainOptions options = SmallRun(4);
  const double exact = Train(runtime_, Open(), nullptr, options).last.loss;
  options.precision = Precision::kBfloat16;
  const double coarse = Train(runtime_, Open(), nullptr, options).last.loss;
  EXPECT_NE(coarse, exact);  // it was used
  EXPECT_NEAR(coarse, exact, 0.15 + 0.25 * exact);
  options.precision = Precision::kFloat16;
  options.device = DeviceKind::kAuto;
  try {
    Train(runtime_, Open(), nullptr, options);
    GTEST_SKIP() << "there is a CUDA device";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), HasSubstr("float16"));
  }
}

}  // namespace
}  // namespace bucketline
