// Masks: the numbers that a PNG stores, not the colours that it shows.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/image/decoder.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using namespace testing;
using ::testing::HasSubstr;

constexpr int kWidth = 13;  // no whole number of bytes for 1, 2 or 4 bits
constexpr int kHeight = 9;

uint8_t NumberAt(int x, int y, int bits) { return static_cast<uint8_t>((x * 5 + y * 3) % (1 << bits)); }

// Samples as PNG packs them.
std::vector<uint8_t> Packed(int bits, int samples_per_pixel = 1) {
  std::vector<uint8_t> packed;
  for (int y = 0; y < kHeight; ++y) {
    unsigned held = 0;
    int count = 0;
    for (int x = 0; x < kWidth * samples_per_pixel; ++x) {
      held = held << bits | NumberAt(x / samples_per_pixel, y, bits);
      if ((count += bits) < 8) continue;
      packed.push_back(static_cast<uint8_t>(held));
      held = 0;
      count = 0;
    }
    if (count > 0) packed.push_back(static_cast<uint8_t>(held << (8 - count)));
  }
  return packed;
}

std::vector<uint8_t> PalettePng(int bits, bool interlaced = false) {
  spng_plte palette{};
  palette.n_entries = 1u << bits;
  for (uint32_t i = 0; i < palette.n_entries; ++i) palette.entries[i].red = static_cast<uint8_t>(255 - i);
  return EncodePng(kWidth, kHeight, SPNG_COLOR_TYPE_INDEXED, bits, Packed(bits), interlaced, &palette);
}

ImageSpec Mask(int height = kHeight, int width = kWidth) {
  ImageSpec spec = ByteRows(height, width);
  spec.channels = 1;
  spec.palette = Palette::kIndex;
  spec.resize = Resize::kNearest;
  return spec;
}

std::vector<uint8_t> Decode(const std::vector<uint8_t>& png, const ImageSpec& spec) {
  std::vector<uint8_t> row(spec.RowBytes());
  ImageDecoder().DecodeInto(png, spec, CounterRng(0, 0, 0), row);
  return row;
}

std::vector<uint8_t> Numbers(int bits) {
  std::vector<uint8_t> numbers;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) numbers.push_back(NumberAt(x, y, bits));
  }
  return numbers;
}

TEST(PaletteIndex, IsTheIndexWhateverTheColour) {
  for (const int bits : {1, 2, 4, 8}) {
    EXPECT_EQ(Decode(PalettePng(bits), Mask()), Numbers(bits)) << bits;
    EXPECT_EQ(Decode(PalettePng(bits, true), Mask()), Numbers(bits)) << bits << " interlaced";
  }
}

TEST(PaletteIndex, IsTheGreyLevelAsStored) {
  for (const int bits : {1, 2, 4, 8}) {
    const auto png = EncodePng(kWidth, kHeight, SPNG_COLOR_TYPE_GRAYSCALE, bits, Packed(bits));
    EXPECT_EQ(Decode(png, Mask()), Numbers(bits)) << bits;
  }
  const auto with_alpha = EncodePng(kWidth, kHeight, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA, 8, Packed(8, 2));
  EXPECT_EQ(Decode(with_alpha, Mask()), Numbers(8));
}

TEST(PaletteIndex, CropsFlipsAndSizesOnlyMoveNumbers) {
  for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
    ImageSpec spec = Mask(2 * 4, 3 * 6);
    spec.family = family;
    spec.crop = Crop::kBox;
    spec.box = {.left = 3, .top = 2, .width = 6, .height = 4};
    spec.flip = 1;
    const std::vector<uint8_t> row = Decode(PalettePng(4), spec);
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 18; ++x) {
        ASSERT_EQ(row[static_cast<size_t>(y * 18 + x)], NumberAt(3 + (17 - x) / 3, 2 + y / 2, 4));
      }
    }
  }
}

TEST(PaletteIndex, WhatHoldsNoNumbersIsAFaultOfTheBytes) {
  const auto refused = [](const std::vector<uint8_t>& bytes, int width, int height) {
    return CorruptionOf([&] { Decode(bytes, Mask(height, width)); });
  };
  EXPECT_THAT(refused(EncodePng(MakePicture(8, 8, 3)), 8, 8), HasSubstr("holds colours"));
  EXPECT_THAT(refused(EncodePng(MakePicture(8, 8, 4)), 8, 8), HasSubstr("holds colours"));
  EXPECT_THAT(refused(EncodePng(8, 4, SPNG_COLOR_TYPE_GRAYSCALE, 16, std::vector<uint8_t>(64)), 8, 4),
              HasSubstr("16 bits"));
  EXPECT_THAT(refused(EncodeJpeg(MakePicture(8, 8, 1)), 8, 8), HasSubstr("this is none"));
}

}  // namespace
}  // namespace bucketline
