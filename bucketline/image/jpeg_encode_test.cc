#include "bucketline/image/jpeg_encode.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"

namespace bucketline {
namespace {

std::vector<uint8_t> Ramp(int width, int height, int channels) {
  std::vector<uint8_t> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width * channels; ++x) pixels.push_back(static_cast<uint8_t>(x + y));
  }
  return pixels;
}

class EncodeJpegOf : public ::testing::TestWithParam<int> {};

TEST_P(EncodeJpegOf, DecodesToNearlyThesePixels) {
  const int channels = GetParam();
  const std::vector<uint8_t> pixels = Ramp(70, 45, channels);
  const std::vector<uint8_t> jpeg = EncodeJpeg(pixels, 70, 45, channels, 95);
  const ImageInfo info = ProbeImage(jpeg);
  EXPECT_EQ(info.format, ImageFormat::kJpeg);
  EXPECT_EQ(info.width, 70);
  EXPECT_EQ(info.height, 45);
  EXPECT_EQ(info.channels, channels);
  ImageSpec spec{.height = 45, .width = 70, .channels = channels};
  spec.type = PixelType::kUint8;
  spec.layout = PixelLayout::kNhwc;
  spec.scale = ImageSpec{}.scale;
  std::vector<uint8_t> row(spec.RowBytes());
  ImageDecoder().DecodeInto(jpeg, spec, CounterRng(0, 0, 0), row);
  int worst = 0;
  for (size_t i = 0; i < row.size(); ++i) worst = std::max(worst, std::abs(int{row[i]} - int{pixels[i]}));
  EXPECT_LT(worst, 24);
  EXPECT_EQ(EncodeJpeg(pixels, 70, 45, channels, 95), jpeg);
  EXPECT_LT(EncodeJpeg(pixels, 70, 45, channels, 30).size(), jpeg.size());
}

INSTANTIATE_TEST_SUITE_P(Channels, EncodeJpegOf, ::testing::Values(1, 3));

TEST(EncodeJpeg, WhatIsNoImageIsAnError) {
  const std::vector<uint8_t> pixels(30);
  EXPECT_NO_THROW(EncodeJpeg(pixels, 5, 2, 3, 100));
  EXPECT_THROW(EncodeJpeg(pixels, 5, 2, 1, 90), Error) << "too many bytes";
  EXPECT_THROW(EncodeJpeg(pixels, 5, 3, 2, 90), Error) << "two channels";
  EXPECT_THROW(EncodeJpeg(pixels, 5, 2, 3, 0), Error) << "quality";
  EXPECT_THROW(EncodeJpeg({}, 0, 2, 3, 90), Error);
  const std::vector<uint8_t> long_row(kLargestJpegSide + 1);
  EXPECT_THROW(EncodeJpeg(long_row, kLargestJpegSide + 1, 1, 1, 90), Error);
}

}  // namespace
}  // namespace bucketline
