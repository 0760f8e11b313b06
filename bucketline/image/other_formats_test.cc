// WebP, GIF and BMP: exact pixels, windows, and what is broken.
#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/test_formats.h"

namespace bucketline {
namespace {

using namespace testing;
using ::testing::HasSubstr;

struct Reading {
  Picture picture;
  bool truncated = false;
};

Reading Read(const std::vector<uint8_t>& bytes, const ImageSpec& spec = {},
             const PixelWindow* window = nullptr) {
  const FormatEntry* entry = FindFormat(bytes);
  if (entry == nullptr) throw Error(ErrorCode::kInternal, "no format");
  const auto reader = entry->make_reader();
  const ImageInfo info = reader->Open(bytes);
  const PixelWindow all{0, 0, info.width, info.height};
  const PixelWindow& wanted = window != nullptr ? *window : all;
  reader->Start(wanted, spec);
  Reading out{{wanted.right - wanted.left, wanted.bottom - wanted.top, spec.channels, {}}};
  for (int y = 0; y < out.picture.height; ++y) {
    const uint8_t* row = reader->NextRow();
    out.picture.pixels.insert(out.picture.pixels.end(), row, row + out.picture.width * spec.channels);
  }
  out.truncated = reader->truncated();
  reader->Close();
  return out;
}

std::string ErrorOf(const std::vector<uint8_t>& bytes) {
  return testing::CorruptionOf([&] { Read(bytes); });
}

const std::vector<GifColorType> kPalette = {{10, 20, 30}, {200, 100, 50}, {0, 255, 0}, {77, 88, 99}};

std::vector<uint8_t> Indices(int width, int height) {
  std::vector<uint8_t> indices;
  for (int i = 0; i < width * height; ++i) indices.push_back(static_cast<uint8_t>((i / 3 + i / width) % 4));
  return indices;
}

Picture Coloured(int width, int height, const std::vector<uint8_t>& indices) {
  Picture picture{width, height, 3, {}};
  for (const uint8_t index : indices) {
    const GifColorType& colour = kPalette[index];
    picture.pixels.insert(picture.pixels.end(), {colour.Red, colour.Green, colour.Blue});
  }
  return picture;
}

struct Sample {
  const char* name;
  std::vector<uint8_t> bytes;
};

std::vector<Sample> Samples() {
  const Picture picture = MakePicture(61, 47);
  return {{"webp_lossless", EncodeWebp(picture)},
          {"webp_lossy", EncodeWebp(picture, false)},
          {"gif", EncodeGif(61, 47, Indices(61, 47), kPalette)},
          {"gif_interlaced", EncodeGif(61, 47, Indices(61, 47), kPalette, {.interlaced = true})},
          {"gif_offset", EncodeGif(61, 47, Indices(61, 47), kPalette, {.left = 5, .top = 9})},
          {"bmp24", EncodeBmp(picture)},
          {"bmp32", EncodeBmp(picture, 32, true)}};
}

class OtherFormatsTest : public ::testing::TestWithParam<Sample> {};

INSTANTIATE_TEST_SUITE_P(Samples, OtherFormatsTest, ::testing::ValuesIn(Samples()),
                         [](const auto& sample) { return sample.param.name; });

TEST_P(OtherFormatsTest, WindowsGiveTheWholeImagesPixels) {
  const auto& bytes = GetParam().bytes;
  const Picture whole = Read(bytes).picture;
  CounterRng rng(5, 0, 0);
  for (int i = 0; i < 60; ++i) {
    PixelWindow window;
    window.left = static_cast<int>(rng.NextBelow(static_cast<uint64_t>(whole.width)));
    window.top = static_cast<int>(rng.NextBelow(static_cast<uint64_t>(whole.height)));
    window.right =
        window.left + 1 + static_cast<int>(rng.NextBelow(static_cast<uint64_t>(whole.width - window.left)));
    window.bottom =
        window.top + 1 + static_cast<int>(rng.NextBelow(static_cast<uint64_t>(whole.height - window.top)));
    const Picture part = Read(bytes, {}, &window).picture;
    for (int y = 0; y < part.height; ++y) {
      ASSERT_TRUE(
          std::equal(part.At(0, y), part.At(0, y) + part.width * 3, whole.At(window.left, window.top + y)));
    }
  }
}

TEST_P(OtherFormatsTest, EveryTruncationIsAnErrorOrKept) {
  const auto& bytes = GetParam().bytes;
  ImageSpec keep;
  keep.truncated = Truncated::kKeep;
  const Picture whole = Read(bytes).picture;
  int kept = 0;
  for (size_t size = 13; size + 1 < bytes.size(); size += 1 + bytes.size() / 150) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    // A GIF's last bytes hold no pixels.
    if (size + 4 < bytes.size()) {
      EXPECT_THAT(ErrorOf(cut), HasSubstr("truncated")) << size;
    }
    try {
      const Reading reading = Read(cut, keep);
      EXPECT_EQ(reading.picture.pixels.size(), whole.pixels.size());
      if (reading.truncated) ++kept;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    }
  }
  const bool webp = std::string(GetParam().name).starts_with("webp");
  EXPECT_EQ(kept > 50, !webp) << kept;
}

TEST_P(OtherFormatsTest, GreyIsTheLumaOfTheColours) {
  const auto& bytes = GetParam().bytes;
  const Picture rgb = Read(bytes).picture;
  ImageSpec spec;
  spec.channels = 1;
  const Picture grey = Read(bytes, spec).picture;
  for (size_t i = 0; i < grey.pixels.size(); ++i) {
    const uint8_t* p = rgb.pixels.data() + 3 * i;
    ASSERT_EQ(grey.pixels[i], (p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
  }
}

TEST(WebpReaderTest, LosslessIsExact) {
  const Picture picture = MakePicture(33, 21);
  EXPECT_EQ(Read(EncodeWebp(picture)).picture.pixels, picture.pixels);
  EXPECT_TRUE(ProbeImage(EncodeWebp(picture)).buffered);
}

TEST(WebpReaderTest, SaysWhatIsBroken) {
  auto bytes = EncodeWebp(MakePicture(33, 21));
  auto chunks = bytes;
  chunks[12] = 'X';
  EXPECT_THAT(ErrorOf(chunks), HasSubstr("corrupt WebP"));
  for (size_t i = 40; i < bytes.size(); i += 3) bytes[i] ^= 0x55;
  EXPECT_THAT(ErrorOf(bytes), ::testing::AnyOf(HasSubstr("WebP"), HasSubstr("none")));
}

TEST(GifReaderTest, ColoursAreExactInEveryOrder) {
  const auto indices = Indices(30, 27);
  for (const bool interlaced : {false, true}) {
    const auto bytes = EncodeGif(30, 27, indices, kPalette, {.interlaced = interlaced});
    EXPECT_EQ(Read(bytes).picture.pixels, Coloured(30, 27, indices).pixels);
    EXPECT_EQ(ProbeImage(bytes).buffered, interlaced);
  }
}

TEST(GifReaderTest, AroundAFrameIsTheFamilysBackground) {
  const auto bytes = EncodeGif(8, 6, Indices(8, 6), kPalette, {.left = 3, .top = 2, .transparent = 1});
  ImageSpec spec;
  const Picture pillow = Read(bytes, spec).picture;
  EXPECT_EQ(pillow.width, 11);
  EXPECT_EQ(pillow.height, 8);
  EXPECT_EQ(pillow.At(0, 0)[0], 200);  // the transparent colour
  spec.family = ResizeFamily::kTensorflow;
  EXPECT_EQ(Read(bytes, spec).picture.At(10, 1)[0], 0);
  const auto opaque = EncodeGif(8, 6, Indices(8, 6), kPalette, {.left = 3});
  EXPECT_EQ(Read(opaque).picture.At(0, 0)[0], 10);  // colour 0
}

TEST(GifReaderTest, SaysWhatIsBroken) {
  auto bytes = EncodeGif(30, 27, Indices(30, 27), kPalette);
  auto trailer = bytes;
  trailer.resize(13 + 12);
  trailer.push_back(0x3b);
  EXPECT_THAT(ErrorOf(trailer), HasSubstr("ends before any image"));
  for (size_t i = 40; i < bytes.size(); ++i) bytes[i] = 0xff;
  EXPECT_THAT(ErrorOf(bytes), HasSubstr("GIF"));
}

TEST(BmpReaderTest, IsExactUpwardsAndDownwards) {
  for (const int width : {1, 2, 3, 4, 33}) {
    const Picture picture = MakePicture(width, 9);
    for (const int bits : {24, 32}) {
      for (const bool top_down : {false, true}) {
        EXPECT_EQ(Read(EncodeBmp(picture, bits, top_down)).picture.pixels, picture.pixels);
      }
    }
  }
}

TEST(BmpReaderTest, SaysWhatItCannotRead) {
  const auto good = EncodeBmp(MakePicture(9, 5));
  const auto with = [&good](size_t at, uint32_t value, int bytes) {
    auto copy = good;
    for (int i = 0; i < bytes; ++i)
      copy[at + static_cast<size_t>(i)] = static_cast<uint8_t>(value >> (8 * i));
    return copy;
  };
  EXPECT_THAT(ErrorOf(with(14, 12, 4)), HasSubstr("OS/2"));
  EXPECT_THAT(ErrorOf(with(28, 16, 2)), HasSubstr("16 bits a pixel"));
  EXPECT_THAT(ErrorOf(with(30, 1, 4)), HasSubstr("compression 1"));
  EXPECT_THAT(ErrorOf(with(18, 0, 4)), HasSubstr("bad width or height"));
  EXPECT_THAT(ErrorOf(with(18, 0xffffffff, 4)), HasSubstr("bad width or height"));
  EXPECT_THAT(ErrorOf(with(22, 0x80000000, 4)), HasSubstr("bad width or height"));
  EXPECT_THAT(ErrorOf(with(10, 0xffffffff, 4)), HasSubstr("truncated"));
  EXPECT_THAT(ErrorOf(with(18, 0x7fffffff, 4)), HasSubstr("truncated"));
}

TEST(FormatsTest, ArePlacedByTheirNumber) {
  for (size_t i = 0; i < Formats().size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(Formats()[i]->format), i);
  }
  for (const Sample& sample : Samples()) {
    const FormatEntry* entry = FindFormat(sample.bytes);
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(ProbeImage(sample.bytes).format, entry->format);
  }
  EXPECT_EQ(FindFormat({}), nullptr);
}

}  // namespace
}  // namespace bucketline
