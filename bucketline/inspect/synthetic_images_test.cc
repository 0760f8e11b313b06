#include "bucketline/inspect/synthetic_images.h"

#include <set>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"

namespace bucketline {
namespace {

TEST(SyntheticImages, ArePureFunctionsOfTheirNumber) {
  EXPECT_EQ(MakeSyntheticImage(5, 1, 32).jpeg, MakeSyntheticImage(5, 1, 32).jpeg);
  EXPECT_NE(MakeSyntheticImage(5, 1, 32).jpeg, MakeSyntheticImage(5, 2, 32).jpeg);
  EXPECT_NE(MakeSyntheticImage(5, 1, 32).jpeg, MakeSyntheticImage(7, 1, 32).jpeg);
}

TEST(SyntheticImages, HaveTheAskedSizeAndDistinctKeysByClass) {
  std::set<std::string> keys;
  for (uint64_t i = 0; i < 20; ++i) {
    const SyntheticImage image = MakeSyntheticImage(i, 0, 40);
    const ImageInfo info = ProbeImage(image.jpeg);
    EXPECT_EQ(info.width, 40);
    EXPECT_EQ(info.height, 40);
    EXPECT_EQ(info.channels, 3);
    EXPECT_TRUE(image.key.starts_with(SyntheticClasses()[i % 2] + "/")) << image.key;
    keys.insert(image.key);
  }
  EXPECT_EQ(keys.size(), 20u);
}

// A label that the mean level gives away would make the demo worthless.
TEST(SyntheticImages, TheMeanLevelDoesNotTellTheClass) {
  ImageDecoder decoder;
  std::vector<uint8_t> row(16 * 16 * 3);
  double sums[2] = {0, 0};
  constexpr int kCount = 400;
  for (uint64_t i = 0; i < kCount; ++i) {
    decoder.DecodeInto(MakeSyntheticImage(i, 3, 16).jpeg,
                       {.height = 16, .width = 16, .type = PixelType::kUint8}, CounterRng(0, 0, 0), row);
    for (const uint8_t level : row) sums[i % 2] += level;
  }
  const double pixels = kCount / 2 * static_cast<double>(row.size());
  EXPECT_NEAR(sums[0] / pixels, sums[1] / pixels, 12);  // about 3 standard errors
}

TEST(SyntheticImages, ASizeOutOfRangeIsAnError) {
  EXPECT_THROW(MakeSyntheticImage(0, 0, 15), Error);
  EXPECT_THROW(MakeSyntheticImage(0, 0, 4097), Error);
}

}  // namespace
}  // namespace bucketline
