#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/image/point_map.h"
#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// What a decode of the record for this position says.
ImageGeometry GeometryOf(const Dataset& dataset, uint64_t record, const ImageSpec& spec, uint64_t position) {
  std::vector<uint8_t> row(spec.RowBytes());
  return ImageDecoder().DecodeInto(dataset.Read(record).data.span(), spec, CounterRng(0, 0, position), row);
}

std::vector<float> MapOf(const Batch& batch, uint32_t row) {
  const std::span<const float> map = batch.geometry().subspan(size_t{row} * 6, 6);
  return {map.begin(), map.end()};
}

std::vector<int32_t> SizeOf(const Batch& batch, uint32_t row) {
  return {batch.source_sizes()[size_t{row} * 2], batch.source_sizes()[size_t{row} * 2 + 1]};
}

TEST(LoaderGeometry, IsThatOfEachRowsDecode) {
  ImageBucket bucket(0);
  for (uint64_t i = 0; i < 6; ++i) bucket.PutImage(ImageKey(i), i, 40 + 5 * static_cast<int>(i), 30);
  const Dataset dataset = bucket.Open();
  Loader loader(dataset, SmallOptions(6));
  const std::optional<Batch> batch = loader.Next();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->geometry().size(), 36u);
  ASSERT_EQ(batch->source_sizes().size(), 12u);
  for (uint32_t row = 0; row < 6; ++row) {
    const ImageGeometry geometry = GeometryOf(dataset, row, SmallSpec(), row);
    const PointMap map = MapToRow(geometry, {16, 16});
    EXPECT_EQ(MapOf(*batch, row), std::vector<float>(map.begin(), map.end()));
    EXPECT_THAT(SizeOf(*batch, row), ElementsAre(geometry.source_height, geometry.source_width));
  }
}

TEST(LoaderGeometry, RowsThatOnlyFillUpHaveTheirRecords) {
  ImageBucket bucket(5);
  LoaderOptions options = SmallOptions(4);
  options.last = LastPolicy::kPad;
  Loader loader(bucket.Open(), options);
  const Batch first = *loader.Next();
  const Batch second = *loader.Next();
  EXPECT_EQ(MapOf(second, 1), MapOf(first, 0));
  EXPECT_THAT(SizeOf(second, 3), ElementsAre(kHeight, kWidth));
}

TEST(LoaderGeometry, MaskedRowsHaveNone) {
  ImageBucket bucket(8);
  bucket.PutCorrupt(bucket.Open().Key(1));
  LoaderOptions options = SmallOptions();
  options.on_error = OnError::kMask;
  options.max_skipped = 1;
  for (const bool sized : {false, true}) {
    if (sized) options.image = ImageSpec{};
    Loader loader(bucket.Open(), options);
    const Batch batch = *loader.Next();
    EXPECT_THAT(MapOf(batch, 1), Each(0));
    EXPECT_THAT(SizeOf(batch, 1), Each(0));
    EXPECT_THAT(MapOf(batch, 2), Not(Each(0)));
    EXPECT_THAT(SizeOf(batch, 2), ElementsAre(kHeight, kWidth));
  }
}

TEST(LoaderGeometry, RowsAsLargeAsTheImageMapToThemselves) {
  ImageBucket bucket(2);
  LoaderOptions options = SmallOptions(2);
  options.image = ImageSpec{};
  Loader loader(bucket.Open(), options);
  EXPECT_THAT(MapOf(*loader.Next(), 1), ElementsAre(1, 0, 0, 0, 1, 0));
}

TEST(LoaderGeometry, RawBatchesHaveNone) {
  ImageBucket bucket(2);
  LoaderOptions options = SmallOptions(2);
  options.decode = false;
  Loader loader(bucket.Open(), options);
  const Batch batch = *loader.Next();
  EXPECT_THAT(batch.geometry(), IsEmpty());
  EXPECT_THAT(batch.source_sizes(), IsEmpty());
}

}  // namespace
}  // namespace bucketline
