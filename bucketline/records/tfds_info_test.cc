#include "bucketline/records/tfds_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/records/records_testing.h"

namespace bucketline {
namespace {

using records_testing::MessageOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kInfo = R"({"name": "d", "fileFormat": "tfrecord", "splits": [
    {"name": "train", "shardLengths": ["2"]}, {"name": "test", "shardLengths": ["1"]}]})";
constexpr std::string_view kFeatures = R"({"pythonClassName": "FeaturesDict", "featuresDict": {"features": {
    "image": {"pythonClassName": "Image", "image": {"encodingFormat": "png"}},
    "label": {"pythonClassName": "ClassLabel", "classLabel": {"numClasses": "2"}},
    "id": {"pythonClassName": "Tensor", "tensor": {}},
    "more": {"featuresDict": {"features": {"mask": {"image": {}}}}}}}})";

TEST(TfdsInfo, KnowsSplitsImagesAndClasses) {
  const TfdsInfo info = ReadTfdsInfo(kInfo, kFeatures);
  EXPECT_THAT(info.splits, ElementsAre("train", "test"));
  EXPECT_THAT(info.images, ElementsAre("image", "more/mask"));
  EXPECT_THAT(info.class_labels, ElementsAre("label"));
}

TEST(TfdsInfo, WhatIsNotAsItIsWrittenIsCorrupt) {
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [] { ReadTfdsInfo("[]", kFeatures); }),
              HasSubstr("dataset_info"));
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [] { ReadTfdsInfo(kInfo, "{"); }),
              HasSubstr("features.json"));
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [] { ReadTfdsInfo(kInfo, "{}"); }),
              HasSubstr("not as TensorFlow"));
  EXPECT_THAT(MessageOf(ErrorCode::kCorruptData, [] { ReadTfdsInfo(R"({"splits": [{}]})", kFeatures); }),
              HasSubstr("not as TensorFlow"));
  EXPECT_THAT(MessageOf(ErrorCode::kUnsupported,
                        [] { ReadTfdsInfo(R"({"fileFormat": "array_record"})", kFeatures); }),
              HasSubstr("array_record"));
}

TEST(TfdsInfo, AShardNamesItsSplit) {
  EXPECT_TRUE(IsShardOfSplit("d/1.0.0/d-train.tfrecord-00000-of-00001", "train"));
  EXPECT_FALSE(IsShardOfSplit("d/1.0.0/d-pretrain.tfrecord-00000-of-00001", "train"));
  EXPECT_FALSE(IsShardOfSplit("d-train.tfrecord-0/d-test.tfrecord-00000-of-00001", "train"));
}

TEST(TfdsInfo, NamesAreLines) {
  EXPECT_THAT(ReadLabelNames("cat\ndog\r\nbig bird"), ElementsAre("cat", "dog", "big bird"));
  EXPECT_THAT(ReadLabelNames("cat\n\n"), ElementsAre("cat"));
}

}  // namespace
}  // namespace bucketline
