// Folders that TensorFlow Datasets prepared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/example_testing.h"

namespace bucketline {
namespace {

using records_testing::BytesFeature;
using records_testing::Example;
using records_testing::IntegerFeature;
using records_testing::TfRecord;
using testing::Bucket;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::string Digit(const std::string& bytes, int64_t label) {
  return TfRecord(Example({{"image", BytesFeature({bytes})}, {"label", IntegerFeature({label})}}));
}

class TfdsDataset : public ::testing::Test {
 protected:
  TfdsDataset() {
    bucket_.Put("d/1.0.0/dataset_info.json", R"({"splits": [{"name": "train"}, {"name": "test"}]})");
    PutFeatures(R"("image": {"image": {}}, "label": {"classLabel": {}})");
    bucket_.Put("d/1.0.0/label.labels.txt", "zero\none\n");
    bucket_.Put("d/1.0.0/d-train.tfrecord-00000-of-00002", Digit("a", 1));
    bucket_.Put("d/1.0.0/d-train.tfrecord-00001-of-00002", Digit("b", 0));
    bucket_.Put("d/1.0.0/d-test.tfrecord-00000-of-00001", Digit("c", 1));
  }

  void PutFeatures(const std::string& features) {
    bucket_.Put("d/1.0.0/features.json", R"({"featuresDict": {"features": {)" + features + "}}}");
  }

  Dataset Open(const std::string& split, const std::string& label = "") {
    DatasetOptions options{.format = "tfds", .split = split};
    if (!label.empty()) options.labels = Labels::Member(label);
    return bucket_.Open("mem://data/d/1.0.0/", std::move(options));
  }

  Bucket bucket_;
};

TEST_F(TfdsDataset, ASplitIsItsShards) {
  const Dataset train = Open("train");
  ASSERT_EQ(train.size(), 2u);
  EXPECT_EQ(train.Read(0).data.view(), "a");
  EXPECT_EQ(train.Read(1).data.view(), "b");
  EXPECT_EQ(Open("test").size(), 1u);
}

TEST_F(TfdsDataset, ClassesHaveTheNamesOfTheirFile) {
  const Dataset test = Open("test", "label");
  EXPECT_EQ(test.label_kind(), LabelKind::kClass);
  EXPECT_THAT(test.classes(), ElementsAre("zero", "one"));
  EXPECT_EQ(test.LabelInteger(0), 1);
}

TEST_F(TfdsDataset, NumbersWithoutANameStayNumbers) {
  bucket_.Put("d/1.0.0/label.labels.txt", "zero\n");
  EXPECT_EQ(Open("test", "label").label_kind(), LabelKind::kInteger);
}

TEST_F(TfdsDataset, AnUnknownSplitNamesThoseThatAre) {
  EXPECT_THAT(ErrorOf([&] { Open("validation"); }).what(),
              HasSubstr("\"validation\"; the dataset has train, test"));
  EXPECT_THAT(ErrorOf([&] { Open(""); }).what(), HasSubstr("name a split; the dataset has train, test"));
  bucket_.Put("d/1.0.0/dataset_info.json", R"({"splits": [{"name": "test"}]})");
  EXPECT_EQ(Open("").size(), 1u);
}

TEST_F(TfdsDataset, SeveralImagesAreForTheUserToChoose) {
  PutFeatures(R"("image": {"image": {}}, "mask": {"image": {}})");
  EXPECT_THAT(ErrorOf([&] { Open("train"); }).what(), HasSubstr("2 features are images: image, mask"));
}

TEST_F(TfdsDataset, AFolderWithoutItsFilesSaysWhichIsMissing) {
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/d/", {.format = "tfds", .split = "train"}); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("mem://data/d/"));
}

TEST_F(TfdsDataset, OnlyThisFormatHasSplits) {
  EXPECT_THAT(ErrorOf([&] { bucket_.Open("mem://data/d/", {.split = "train"}); }).what(),
              HasSubstr("split=\"train\" is for format=\"tfds\""));
}

}  // namespace
}  // namespace bucketline
