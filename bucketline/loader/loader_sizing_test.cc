#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/latency_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

LoaderOptions AsTheyAre(uint32_t batch_size) {
  LoaderOptions options = SmallOptions(batch_size);
  options.image = ImageSpec{};
  options.image.type = PixelType::kUint8;
  return options;
}

// The first rows come last.
std::shared_ptr<ObjectStore> Backwards(const Dataset& dataset, std::shared_ptr<ObjectStore> inner) {
  std::map<std::string, Duration> delays;
  for (uint64_t i = 0; i < dataset.size(); ++i) {
    delays[dataset.Key(i)] = std::chrono::milliseconds(2 * (dataset.size() - i));
  }
  const auto late = [delays](const StoreCall& call, uint64_t) -> Duration {
    const auto found = delays.find(call.key);
    return found == delays.end() ? Duration(0) : found->second;
  };
  return std::make_shared<LatencyStore>(std::move(inner), late);
}

TEST(LoaderSizing, RowsAreAsLargeAsTheImages) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open();
  for (const bool late : {false, true}) {
    Loader loader(late ? bucket.OpenThrough(bucket.store()) : dataset, AsTheyAre(4));
    const std::optional<Batch> batch = loader.Next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->spec().height, kHeight);
    EXPECT_EQ(batch->spec().width, kWidth);
    EXPECT_EQ(batch->pixel_bytes(), size_t{4} * kHeight * kWidth * 3);
    ImageSpec spec = AsTheyAre(4).image;
    spec.height = kHeight;
    spec.width = kWidth;
    EXPECT_EQ(RowOf(Copy(*batch), 2), ExpectedRow(dataset, 2, spec, CounterRng(0, 0, 2)));
    EXPECT_EQ(RestOfEpoch(loader).size(), 2u);
  }
}

TEST(LoaderSizing, BatchesMayDifferInSize) {
  ImageBucket bucket(0);
  for (int i = 0; i < 12; ++i) bucket.PutImage(ImageKey(static_cast<uint64_t>(i)), 1, 10 + i, 8);
  LoaderOptions options = AsTheyAre(1);
  Loader loader(bucket.Open(), options);
  int batches = 0;
  while (const std::optional<Batch> batch = loader.Next()) {
    EXPECT_EQ(batch->pixel_bytes(), static_cast<size_t>(batch->spec().width) * 8 * 3);
    ++batches;
  }
  EXPECT_EQ(batches, 12);
  EXPECT_LE(loader.Stats().budget_peak, options.memory);
}

TEST(LoaderSizing, AnotherSizeIsAnErrorNamingBoth) {
  ImageBucket bucket(8);
  const Dataset before = bucket.Open();
  bucket.PutImage(before.Key(6), 1, 50, 20);
  Loader loader(bucket.Open(), AsTheyAre(4));
  ASSERT_TRUE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("20 x 50"), HasSubstr("30 x 40"), HasSubstr(before.Key(4)),
                                  HasSubstr(before.Key(6))));
}

// The header gives the size, and the pixels are not there: another record takes the row, but the size stays.
TEST(LoaderSizing, TheErrorNamesTheRecordThatGaveTheSize) {
  ImageBucket bucket(8);
  const Dataset before = bucket.Open();
  std::vector<uint8_t> cut = EncodeJpeg(MakePicture(kWidth, kHeight, 3, 0));
  cut.resize(cut.size() / 2);
  PutBytes(*bucket.store(), before.Key(0), cut);
  bucket.PutImage(before.Key(1), 1, 50, 20);
  LoaderOptions options = AsTheyAre(2);
  options.on_error = OnError::kSkip;
  options.max_skipped = 1;
  options.threads = 1;
  Loader loader(bucket.Open(), options);
  EXPECT_THAT(ErrorOf([&] { loader.Next(); }).what(),
              HasSubstr(before.UriAt(0) + ", which gives its batch the size, has 30 x 40"));
}

TEST(LoaderSizing, LittleMemoryAndLateFirstRowsDoNotHang) {
  ImageBucket bucket(40);
  const Dataset dataset = bucket.Open();
  LoaderOptions options = AsTheyAre(8);
  Loader plenty(dataset, options);
  const std::vector<Given> expected = RestOfEpoch(plenty);
  options.memory = 1600000;
  for (const OnError on_error : {OnError::kRaise, OnError::kSkip, OnError::kMask}) {
    options.on_error = on_error;
    Loader loader(bucket.OpenThrough(Backwards(dataset, bucket.store())), options);
    EXPECT_EQ(RestOfEpoch(loader), expected);
    EXPECT_LE(loader.Stats().budget_peak, options.memory);
  }
}

TEST(LoaderSizing, SkipAndMaskWorkWhereTheFirstRowsAreBad) {
  ImageBucket bucket(24);
  const Dataset before = bucket.Open();
  for (const uint64_t record : {0, 1, 9}) bucket.PutCorrupt(before.Key(record));
  const Dataset dataset = bucket.Open();
  LoaderOptions options = AsTheyAre(8);
  options.max_skipped = 1;
  options.memory = 1600000;
  for (const bool late : {false, true}) {
    const Dataset read = late ? bucket.OpenThrough(Backwards(dataset, bucket.store())) : dataset;
    options.on_error = OnError::kMask;
    Loader masking(read, options);
    const std::vector<Given> masked = RestOfEpoch(masking);
    ASSERT_EQ(masked.size(), 3u);
    EXPECT_THAT(masked[0].valid, ::testing::ElementsAre(0, 0, 1, 1, 1, 1, 1, 1));
    EXPECT_THAT(RowOf(masked[0], 0), Each(0));
    EXPECT_THAT(RowOf(masked[1], 1), Each(0));
    options.on_error = OnError::kSkip;
    Loader skipping(read, options);
    const std::vector<Given> skipped = RestOfEpoch(skipping);
    ASSERT_EQ(skipped.size(), 3u);
    EXPECT_THAT(skipped[0].valid, Each(1));
    EXPECT_NE(skipped[0].indices[0], 0u);
    EXPECT_EQ(RowOf(skipped[0], 5), RowOf(masked[0], 5));
  }
}

TEST(LoaderSizing, ABatchOfNothingButMaskedRowsHasNoPixels) {
  ImageBucket bucket(8);
  const Dataset before = bucket.Open();
  for (const uint64_t record : {0, 1, 2, 3}) bucket.PutCorrupt(before.Key(record));
  LoaderOptions options = AsTheyAre(4);
  options.on_error = OnError::kMask;
  options.max_skipped = 1;
  Loader loader(bucket.Open(), options);
  const std::optional<Batch> batch = loader.Next();
  ASSERT_TRUE(batch);
  EXPECT_THAT(batch->valid(), Each(0));
  EXPECT_EQ(batch->pixel_bytes(), 0u);
  EXPECT_EQ(batch->pixels(), nullptr);
  EXPECT_EQ(RestOfEpoch(loader).size(), 1u);
}

TEST(LoaderSizing, AFailedFirstRowEndsItsBatch) {
  ImageBucket bucket(8);
  const Dataset dataset = bucket.Open();
  const auto script = [&](const StoreCall& call, uint64_t) {
    return call.key == dataset.Key(4) ? Fault::FailBefore(Error(ErrorCode::kConnection, "injected"))
                                      : Fault::None();
  };
  for (const OnError on_error : {OnError::kRaise, OnError::kSkip, OnError::kMask}) {
    LoaderOptions options = AsTheyAre(4);
    options.on_error = on_error;
    Loader loader(bucket.OpenThrough(std::make_shared<FaultStore>(bucket.store(), script)), options);
    ASSERT_TRUE(loader.Next());
    EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kConnection);
  }
}

TEST(LoaderSizing, ABatchThatCanNeverFitIsAnError) {
  ImageBucket bucket(4);
  const Dataset before = bucket.Open();
  bucket.PutImage(before.Key(2), 1, 600, 600);
  bucket.PutImage(before.Key(3), 2, 600, 600);
  LoaderOptions options = AsTheyAre(2);
  options.memory = 2 << 20;
  Loader loader(bucket.Open(), options);
  ASSERT_TRUE(loader.Next());
  const Error error = ErrorOf([&] { loader.Next(); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("600 x 600"), HasSubstr(std::to_string(4 * 2 * 600 * 600 * 3))));
}

}  // namespace
}  // namespace bucketline
