// A small labelled bucket in memory, for tests of what stands on LibTorch.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/inspect/synthetic_images.h"
#include "bucketline/runtime/runtime.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/train/trainer.h"

namespace bucketline {

class OnLibTorch : public ::testing::Test {
 protected:
  OnLibTorch() {
    for (uint64_t i = 0; i < kImages; ++i) {
      const SyntheticImage image = MakeSyntheticImage(i, 0, 40);
      PutBytes(*data_, "images/" + image.key, image.jpeg);
    }
    runtime_.AddStore("d", data_);
    runtime_.AddStore("c", checkpoints_);
  }

  Dataset Open(Labels labels) { return Dataset::Open(runtime_, "mem://d/images/", {.labels = labels}); }
  Dataset Open() { return Open(Labels::Folder()); }

  // One thread adds in one order, so that results are the same to the bit.
  static TrainOptions SmallRun(uint64_t epochs) {
    return {.width = 0.35,
            .epochs = epochs,
            .device = DeviceKind::kCpu,
            .batch_size = 8,
            .image_size = 32,
            .threads = 1,
            .memory = 64_MiB};
  }

  // What Train throws; fails the test when it throws nothing.
  Error ErrorOf(const Dataset& train, const Dataset* validation, const TrainOptions& options) {
    try {
      Train(runtime_, train, validation, options);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "it was trained";
    return Error(ErrorCode::kInternal, "");
  }

  static constexpr uint64_t kImages = 24;
  std::shared_ptr<ObjectStore> data_ = MakeMemoryStore("d");
  std::shared_ptr<ObjectStore> checkpoints_ = MakeMemoryStore("c");
  Runtime runtime_;
};

}  // namespace bucketline
