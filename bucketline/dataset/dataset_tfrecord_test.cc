// Datasets of TFRecord shards: features as parts and labels, and bytes that are checked whenever they are read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/dataset/download.h"
#include "bucketline/records/example_testing.h"

namespace bucketline {
namespace {

using records_testing::BytesFeature;
using records_testing::Example;
using records_testing::IntegerFeature;
using records_testing::TfRecord;
using ::testing::AllOf;
using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::string Image(const std::string& bytes, int64_t label) {
  return TfRecord(
      Example({{"image/class/label", IntegerFeature({label})}, {"image/encoded", BytesFeature({bytes})}}));
}

class TfRecordDataset : public ::testing::Test {
 protected:
  TfRecordDataset() { bucket_.Put(kShard, Image("first", 8) + Image("second", 9)); }

  // The same shard with the image's bytes changed under all checksums, which a pin of sizes lets pass.
  void Damage() {
    std::string shard = Image("first", 8) + Image("second", 9);
    shard.replace(shard.find("second"), 6, "sEcond");
    bucket_.Put(kShard, shard);
  }

  static constexpr const char* kShard = "t/x.tfrecord-00000-of-00001";
  Bucket bucket_;
};

TEST_F(TfRecordDataset, FeaturesArePartsAndLabels) {
  const Dataset dataset = bucket_.Open("mem://data/t/", {.labels = Labels::Member("image/class/label")});
  ASSERT_EQ(dataset.size(), 2u);
  EXPECT_EQ(dataset.Key(1), "t/x.tfrecord-00000-of-00001/0000000001");
  EXPECT_EQ(dataset.Read(1).data.view(), "second");
  EXPECT_EQ(dataset.LabelInteger(1), 9);
  EXPECT_TRUE(dataset.has_checksums());
}

TEST_F(TfRecordDataset, AFeatureOfTheWrongKindIsNamed) {
  const Error error =
      ErrorOf([&] { bucket_.Open("mem://data/t/", {.parts = {PartChoice::Parse("image/class/label")}}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("\"image/class/label\" of the sample \"0000000000\" at byte 0"),
                                  HasSubstr("list of 1 integers"), HasSubstr("a part needs bytes")));
}

TEST_F(TfRecordDataset, AFieldOfANumberIsRefused) {
  EXPECT_THAT(ErrorOf([&] {
                bucket_.Open("mem://data/t/", {.labels = Labels::Member("image/class/label", "id")});
              }).what(),
              HasSubstr("is a number and has no fields"));
}

TEST_F(TfRecordDataset, BytesThatAreNotThoseThatWereIndexedAreCorrupt) {
  const Dataset dataset = bucket_.Open("mem://data/t/", {.pin = PinMode::kSize});
  Damage();
  EXPECT_EQ(dataset.Read(0).data.view(), "first");
  const Error error = ErrorOf([&] { dataset.Read(1); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("CRC32C"), HasSubstr("x.tfrecord-00000-of-00001#bytes=")));
}

TEST_F(TfRecordDataset, ASavedIndexChecksToo) {
  bucket_.Open("mem://data/t/").Save("mem://data/t.manifest");
  const Dataset dataset = bucket_.Open("mem://data/t.manifest", {.pin = PinMode::kSize});
  Damage();
  EXPECT_EQ(ErrorOf([&] { dataset.Read(1); }).code(), ErrorCode::kCorruptData);
}

TEST_F(TfRecordDataset, DownloadsAreChecked) {
  const Dataset dataset = bucket_.Open("mem://data/t/", {.pin = PinMode::kSize});
  Damage();
  const DownloadReport report = Download(dataset, nullptr);
  EXPECT_EQ(report.objects, 1u);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].code(), ErrorCode::kCorruptData);
}

TEST_F(TfRecordDataset, ARecordWithAWrongCrcIsAnErrorOrLeft) {
  Damage();
  const Error error = ErrorOf([&] { bucket_.Open("mem://data/t/"); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("x.tfrecord-00000-of-00001"), HasSubstr("record 1 has a wrong CRC")));
  const Dataset dataset = bucket_.Open("mem://data/t/", {.damaged = Damaged::kSkip});
  EXPECT_EQ(dataset.size(), 1u);
  EXPECT_EQ(dataset.dropped(), 1u);
}

}  // namespace
}  // namespace bucketline
