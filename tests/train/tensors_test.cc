// A Batch as tensors, and a whole small training run, on LibTorch.
#include "bucketline/torch/tensors.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "bucketline/inspect/synthetic_images.h"
#include "bucketline/loader/loader.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/train/trainer.h"

namespace bucketline {
namespace {

class OnLibTorch : public ::testing::Test {
 protected:
  OnLibTorch() {
    std::shared_ptr<ObjectStore> store = MakeMemoryStore("d");
    for (uint64_t i = 0; i < kImages; ++i) {
      const SyntheticImage image = MakeSyntheticImage(i, 0, 40);
      PutBytes(*store, "images/" + image.key, image.jpeg);
    }
    runtime_.AddStore("d", store);
  }

  Dataset Open(Labels labels) { return Dataset::Open(runtime_, "mem://d/images/", {.labels = labels}); }

  static constexpr uint64_t kImages = 24;
  Runtime runtime_;
};

TEST_F(OnLibTorch, ImagesShareTheBatchInBothLayouts) {
  std::optional<at::Tensor> kept;
  at::Tensor copies[2];
  for (const PixelLayout layout : {PixelLayout::kNhwc, PixelLayout::kNchw}) {
    Loader loader(Open(Labels::Folder()),
                  {.batch_size = 4, .image = {.height = 32, .width = 48, .layout = layout}});
    const Batch batch = *loader.Next();
    const at::Tensor images = torch::Images(batch);
    EXPECT_EQ(images.sizes(), (at::IntArrayRef{4, 3, 32, 48}));
    EXPECT_EQ(images.scalar_type(), at::kFloat);
    EXPECT_EQ(images.data_ptr(), batch.pixels());
    EXPECT_EQ(images.is_contiguous(at::MemoryFormat::ChannelsLast), layout == PixelLayout::kNhwc);
    copies[layout == PixelLayout::kNhwc] = images.clone();
    kept = images;
  }
  EXPECT_TRUE(copies[0].equal(copies[1]));
  EXPECT_TRUE(kept->equal(copies[0]));  // the loader and the batch are gone; the tensor keeps the memory
}

TEST_F(OnLibTorch, LabelsAndValidity) {
  Loader loader(Open(Labels::Folder()), {.batch_size = 10, .image = {.height = 32, .width = 32}});
  std::optional<Batch> last;
  while (std::optional<Batch> batch = loader.Next()) last = batch;
  const at::Tensor labels = torch::Labels(*last), valid = torch::Valid(*last);
  EXPECT_EQ(labels.scalar_type(), at::kLong);
  EXPECT_EQ(labels.size(0), last->rows());
  EXPECT_EQ(labels[0].item<int64_t>(), last->integer_labels()[0]);
  EXPECT_EQ(valid.scalar_type(), at::kBool);
  EXPECT_EQ(valid.sum().item<int64_t>(), 4);
}

TEST_F(OnLibTorch, WhatABatchLacksIsAnError) {
  Loader raw(Open(Labels::None()), {.batch_size = 4, .decode = false});
  const Batch batch = *raw.Next();
  EXPECT_THROW(torch::Images(batch), Error);
  EXPECT_THROW(torch::Labels(batch), Error);
}

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
  observer.on_batch = [&](uint64_t, uint64_t, uint64_t) { ++batches; };
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
  runtime_.AddStore("c", MakeMemoryStore("c"));
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

}  // namespace
}  // namespace bucketline
