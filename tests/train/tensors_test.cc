// A Batch as tensors.
#include "bucketline/torch/tensors.h"

#include <optional>

#include "tests/train/on_libtorch.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "bucketline/loader/loader.h"

namespace bucketline {
namespace {

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

}  // namespace
}  // namespace bucketline
