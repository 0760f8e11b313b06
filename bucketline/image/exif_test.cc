#include "bucketline/image/exif.h"

#include <gtest/gtest.h>

#include "bucketline/image/test_formats.h"

namespace bucketline {
namespace {

using testing::ExifBlock;

TEST(ExifTest, ReadsBothByteOrdersWithAndWithoutPrefix) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      auto block = ExifBlock(orientation, big_endian);
      EXPECT_EQ(ExifOrientation(block), orientation);
      const uint8_t prefix[] = {'E', 'x', 'i', 'f', 0, 0};
      block.insert(block.begin(), std::begin(prefix), std::end(prefix));
      EXPECT_EQ(ExifOrientation(block), orientation);
    }
  }
}

TEST(ExifTest, NonsenseIsOne) {
  EXPECT_EQ(ExifOrientation({}), 1);
  EXPECT_EQ(ExifOrientation(ExifBlock(0)), 1);
  EXPECT_EQ(ExifOrientation(ExifBlock(9)), 1);
  auto block = ExifBlock(6);
  block[12] = 4;  // another type
  EXPECT_EQ(ExifOrientation(block), 1);
  block = ExifBlock(6);
  block[4] = 0xff;  // the directory is behind the end
  EXPECT_EQ(ExifOrientation(block), 1);
  block = ExifBlock(6);
  block[2] = 43;
  EXPECT_EQ(ExifOrientation(block), 1);
}

TEST(ExifTest, EveryTruncationIsOneOrRight) {
  const auto block = ExifBlock(6);
  for (size_t size = 0; size < block.size(); ++size) {
    const int orientation = ExifOrientation(std::span(block).first(size));
    EXPECT_TRUE(orientation == 1 || (orientation == 6 && size >= 22)) << size;
  }
}

}  // namespace
}  // namespace bucketline
