#include "bucketline/train/training_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/stream_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ImageBucket;
using testing::LabelledImages;
using testing::PipeWriter;
using testing::SmallOptions;
using testing::StreamJob;

const std::vector<std::string> kClasses = {"0", "1", "2"};

LoaderOptions Shuffled() {
  LoaderOptions options = SmallOptions();
  options.shuffle = true;
  return options;
}

TEST(TrainingData, OfADatasetKnowsHowMuchThereIs) {
  ImageBucket bucket(10);
  DatasetOptions options;
  options.labels = Labels::Folder();
  const TrainingData data(bucket.Open("mem://data/", options));
  EXPECT_EQ(data.images(), 10u);
  EXPECT_EQ(data.source(), "mem://data/");
  EXPECT_THAT(data.classes(), ElementsAre("class0", "class1", "class2"));
  EXPECT_EQ(data.stream(), nullptr);

  TrainingBatches batches(data, Shuffled());
  EXPECT_EQ(batches.steps(), 2u);
  EXPECT_EQ(batches.step_in_epoch(), 0u);
  ASSERT_TRUE(batches.Next());
  EXPECT_EQ(batches.step_in_epoch(), 1u);
  EXPECT_FALSE(batches.AtEnd());
  ASSERT_TRUE(batches.Next());
  EXPECT_TRUE(batches.AtEnd());
  EXPECT_FALSE(batches.Next());
  EXPECT_EQ(batches.epoch(), 1u);
}

TEST(TrainingData, OfAStreamIsWhatComes) {
  StreamJob job;
  const PipeWriter writer(job.place(), {LabelledImages(6), LabelledImages(6)});
  const TrainingData data(job.Open({.labels = true, .classes = kClasses}));
  EXPECT_EQ(data.images(), std::nullopt);
  EXPECT_EQ(data.source(), "channel:train");
  EXPECT_EQ(data.classes(), kClasses);
  EXPECT_EQ(data.dataset(), nullptr);

  TrainingBatches batches(data, Shuffled());
  EXPECT_EQ(batches.steps(), std::nullopt);
  EXPECT_THAT(batches.Next()->integer_labels(), ElementsAre(0, 1, 2, 0));
  const LoaderState state = batches.State();
  EXPECT_EQ(batches.Next()->rows(), 2u);  // the tail
  EXPECT_EQ(batches.step_in_epoch(), 2u);
  EXPECT_FALSE(batches.AtEnd());
  EXPECT_FALSE(batches.Next());
  EXPECT_EQ(batches.epoch(), 1u);
  EXPECT_EQ(batches.Stats().images, 6u);
  batches.Restore(state);
  EXPECT_EQ(batches.step_in_epoch(), 1u);
  EXPECT_EQ(batches.Next()->rows(), 2u);
}

}  // namespace
}  // namespace bucketline
