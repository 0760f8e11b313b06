// Records of shards: the same batches as raw objects give, and checksums under every policy.
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/records/example_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using records_testing::BytesFeature;
using records_testing::Example;
using records_testing::TfRecord;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint64_t kImages = 20;

std::string ImageText(uint64_t number) {
  const std::vector<uint8_t> jpeg = EncodeJpeg(MakePicture(kWidth, kHeight, 3, number));
  return {jpeg.begin(), jpeg.end()};
}

// Names whose order is that of their numbers.
std::string Name(uint64_t number) { return std::to_string(1000 + number); }

// The same images as objects, in two tars and in a TFRecord.
class LoaderShards : public ::testing::Test {
 protected:
  LoaderShards() {
    std::vector<std::pair<std::string, std::string>> tars[2];
    for (uint64_t i = 0; i < kImages; ++i) {
      bucket_.Put("raw/" + Name(i) + ".jpg", ImageText(i));
      tars[i * 2 / kImages].emplace_back(Name(i) + ".jpg", ImageText(i));
      record_ += TfRecord(Example({{"image", BytesFeature({ImageText(i)})}}));
    }
    bucket_.Put("t/0.tar", records_testing::Tar(tars[0]));
    bucket_.Put("t/1.tar", records_testing::Tar(tars[1]));
    bucket_.Put("r.tfrecord", record_);
  }

  std::vector<Given> EpochOf(const Dataset& dataset, LoaderOptions options) {
    Loader loader(dataset, std::move(options));
    return RestOfEpoch(loader);
  }

  // The TFRecord with a byte of image 5 changed, read by its size alone.
  Dataset Damaged() {
    const Dataset dataset = bucket_.Open("mem://data/r.tfrecord", {.pin = PinMode::kSize});
    const RecordPart part = dataset.RecordAt(5).parts.front();
    std::string shard = record_;
    shard[part.offset + part.length - 3] ^= 1;  // still decodes
    bucket_.Put("r.tfrecord", shard);
    return dataset;
  }

  LoaderOptions Options(OnError on_error) {
    LoaderOptions options = SmallOptions();
    options.on_error = on_error;
    options.max_skipped = 0.1;
    options.epochs = 1;
    options.on_bad_sample = [this](const BadSample& bad) {
      std::lock_guard lock(mutex_);
      reports_.push_back(bad);
    };
    return options;
  }

  Bucket bucket_;
  std::string record_;
  std::mutex mutex_;
  std::vector<BadSample> reports_;
};

TEST_F(LoaderShards, BatchesAreThoseOfTheSameRawObjects) {
  for (const bool shuffle : {false, true}) {
    LoaderOptions options = SmallOptions();
    options.shuffle = shuffle;
    const std::vector<Given> raw = EpochOf(bucket_.Open("mem://data/raw/"), options);
    for (const char* shards : {"mem://data/t/", "mem://data/r.tfrecord"}) {
      const std::vector<Given> given = EpochOf(bucket_.Open(shards), options);
      ASSERT_EQ(given.size(), raw.size());
      for (size_t i = 0; i < raw.size(); ++i) {
        EXPECT_EQ(given[i].pixels, raw[i].pixels) << shards << i;
        EXPECT_EQ(given[i].indices, raw[i].indices) << shards << i;
      }
    }
  }
}

TEST_F(LoaderShards, AWrongChecksumRaises) {
  const Dataset dataset = Damaged();
  const Error error = ErrorOf([&] { EpochOf(dataset, Options(OnError::kRaise)); });
  EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
  EXPECT_THAT(error.what(),
              AllOf(HasSubstr("CRC32C"), HasSubstr("r.tfrecord#bytes="), HasSubstr("on_error")));
}

TEST_F(LoaderShards, AWrongChecksumIsSkippedOrMasked) {
  const Dataset dataset = Damaged();
  for (const OnError on_error : {OnError::kSkip, OnError::kMask}) {
    reports_.clear();
    EXPECT_FALSE(EpochOf(dataset, Options(on_error)).empty());
    ASSERT_EQ(reports_.size(), 1u);
    EXPECT_EQ(reports_[0].uri, dataset.UriAt(5));
    EXPECT_THAT(reports_[0].reason, HasSubstr("CRC32C"));
  }
}

TEST_F(LoaderShards, RawBytesAreCheckedToo) {
  const Dataset dataset = Damaged();
  LoaderOptions options = Options(OnError::kRaise);
  options.decode = false;
  EXPECT_EQ(ErrorOf([&] { EpochOf(dataset, options); }).code(), ErrorCode::kCorruptData);
  for (const OnError on_error : {OnError::kSkip, OnError::kMask}) {
    reports_.clear();
    options = Options(on_error);
    options.decode = false;
    EXPECT_FALSE(EpochOf(dataset, options).empty());
    EXPECT_EQ(reports_.size(), 1u);
  }
}

}  // namespace
}  // namespace bucketline
