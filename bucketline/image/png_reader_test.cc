#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using testing::EncodePng;
using ::testing::HasSubstr;
using testing::MakePicture;
using testing::Picture;

Picture Read(const std::vector<uint8_t>& bytes, int channels = 3, const PixelWindow* window = nullptr) {
  const auto owned = kPngFormat.make_reader();
  PixelReader& reader = *owned;
  const ImageInfo info = reader.Open(bytes);
  const PixelWindow all{0, 0, info.width, info.height};
  const PixelWindow& wanted = window != nullptr ? *window : all;
  ImageSpec spec;
  spec.channels = channels;
  reader.Start(wanted, spec);
  Picture out{wanted.right - wanted.left, wanted.bottom - wanted.top, channels, {}};
  for (int y = 0; y < out.height; ++y) {
    const uint8_t* row = reader.NextRow();
    out.pixels.insert(out.pixels.end(), row, row + out.width * channels);
  }
  return out;
}

std::string ErrorOf(const std::vector<uint8_t>& bytes) {
  return testing::CorruptionOf([&] { Read(bytes); });
}

// RGB as it should come out: grey replicated, alpha dropped.
Picture AsRgb(const Picture& in) {
  Picture out{in.width, in.height, 3, {}};
  for (size_t i = 0; i < in.pixels.size(); i += static_cast<size_t>(in.channels)) {
    for (size_t c = 0; c < 3; ++c) out.pixels.push_back(in.pixels[i + (in.channels >= 3 ? c : 0)]);
  }
  return out;
}

TEST(PngReaderTest, EveryColourTypeIsExact) {
  for (const int channels : {1, 2, 3, 4}) {
    const Picture picture = MakePicture(37, 23, channels);
    EXPECT_EQ(Read(EncodePng(picture)).pixels, AsRgb(picture).pixels) << channels;
  }
}

TEST(PngReaderTest, GreyIsTheSampleOrPillowsLuma) {
  for (const int channels : {1, 2}) {
    const Picture picture = MakePicture(9, 7, channels);
    const Picture grey = Read(EncodePng(picture), 1);
    for (int x = 0; x < 9; ++x) EXPECT_EQ(*grey.At(x, 3), *picture.At(x, 3));
  }
  const Picture colour = MakePicture(9, 7, 3);
  const Picture grey = Read(EncodePng(colour), 1);
  for (int x = 0; x < 9; ++x) {
    const uint8_t* p = colour.At(x, 3);
    EXPECT_EQ(*grey.At(x, 3), (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 32768) >> 16);
  }
}

TEST(PngReaderTest, SixteenBitsKeepTheHighByte) {
  std::vector<uint16_t> samples;
  for (int i = 0; i < 8 * 4 * 3; ++i) samples.push_back(static_cast<uint16_t>(i * 679));
  const std::span<const uint8_t> raw{reinterpret_cast<const uint8_t*>(samples.data()), samples.size() * 2};
  const Picture rgb = Read(EncodePng(8, 4, SPNG_COLOR_TYPE_TRUECOLOR, 16, raw));
  for (size_t i = 0; i < samples.size(); ++i) EXPECT_EQ(rgb.pixels[i], samples[i] >> 8);
  const Picture grey = Read(EncodePng(24, 4, SPNG_COLOR_TYPE_GRAYSCALE, 16, raw));
  for (size_t i = 0; i < samples.size(); ++i) EXPECT_EQ(grey.pixels[3 * i], samples[i] >> 8);
}

TEST(PngReaderTest, FewBitsAreStretched) {
  const std::vector<uint8_t> two_bits = {0b00011011};
  const Picture picture = Read(EncodePng(4, 1, SPNG_COLOR_TYPE_GRAYSCALE, 2, two_bits));
  EXPECT_THAT(picture.pixels, ::testing::ElementsAre(0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255));
}

TEST(PngReaderTest, PalettesAreExpanded) {
  spng_plte palette{};
  palette.n_entries = 3;
  palette.entries[0] = {1, 2, 3, 0};
  palette.entries[1] = {40, 50, 60, 0};
  palette.entries[2] = {7, 8, 9, 0};
  const std::vector<uint8_t> indices = {2, 0, 1, 1};
  const auto bytes = EncodePng(2, 2, SPNG_COLOR_TYPE_INDEXED, 8, indices, false, &palette);
  EXPECT_THAT(Read(bytes).pixels, ::testing::ElementsAre(7, 8, 9, 1, 2, 3, 40, 50, 60, 40, 50, 60));
}

TEST(PngReaderTest, WindowsArePartsOfTheWhole) {
  const Picture picture = MakePicture(31, 29);
  const auto bytes = EncodePng(picture);
  const PixelWindow window{5, 11, 24, 28};
  const Picture part = Read(bytes, 3, &window);
  for (int y = 0; y < part.height; ++y) {
    for (int x = 0; x < part.width; ++x) {
      for (int c = 0; c < 3; ++c) ASSERT_EQ(part.At(x, y)[c], picture.At(x + 5, y + 11)[c]);
    }
  }
}

TEST(PngReaderTest, InterlacedIsExact) {
  const Picture picture = MakePicture(19, 13);
  const auto bytes = EncodePng(picture, true);
  const auto owned = kPngFormat.make_reader();
  PixelReader& reader = *owned;
  EXPECT_TRUE(reader.Open(bytes).buffered);
  EXPECT_EQ(Read(bytes).pixels, picture.pixels);
  const PixelWindow window{3, 4, 9, 10};
  EXPECT_EQ(*Read(bytes, 3, &window).At(2, 1), *picture.At(5, 5));
}

TEST(PngReaderTest, EveryTruncationIsNoticed) {
  for (const bool interlaced : {false, true}) {
    const auto bytes = EncodePng(MakePicture(16, 16), interlaced);
    for (size_t size = 8; size + 32 < bytes.size(); ++size) {
      EXPECT_THAT(ErrorOf({bytes.begin(), bytes.begin() + static_cast<long>(size)}), HasSubstr("PNG"))
          << size;
    }
  }
  auto bytes = EncodePng(MakePicture(64, 64));
  bytes.resize(bytes.size() / 2);
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("truncated PNG"));
}

TEST(PngReaderTest, DamageIsNoticed) {
  auto bytes = EncodePng(MakePicture(64, 64));
  bytes[bytes.size() / 2] ^= 0x10;
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("corrupt PNG"));
}

TEST(PngReaderTest, AncillaryChunksAreNeverLookedAt) {
  const Picture picture = MakePicture(16, 16);
  auto bytes = EncodePng(picture);
  // A compressed profile of nonsense with a wrong checksum, right behind the header.
  std::vector<uint8_t> chunk = {0, 0, 0, 9, 'i', 'C', 'C', 'P', 'x', 0, 0, 1, 2, 3, 4, 5, 6, 9, 9, 9, 9};
  bytes.insert(bytes.begin() + 33, chunk.begin(), chunk.end());
  EXPECT_EQ(Read(bytes).pixels, picture.pixels);
  bytes[33] = 0x7f;  // its length now reaches far behind the end
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("truncated PNG"));
}

}  // namespace
}  // namespace bucketline
