#include "bucketline/image/base_levels.h"

#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/level_writer.h"
#include "bucketline/image/test_formats.h"

namespace bucketline {
namespace {

using namespace testing;

struct Row {
  std::vector<float> values;  // aligned for every type
  ImageGeometry geometry;

  explicit Row(size_t bytes) : values((bytes + 3) / 4, -7.0f) {}
  std::span<uint8_t> bytes(size_t size) { return {reinterpret_cast<uint8_t*>(values.data()), size}; }
};

ImageSize RowSize(const std::vector<uint8_t>& image, const ImageSpec& spec) {
  if (spec.height > 0) return {spec.height, spec.width};
  return OwnSize(ProbeImage(image), spec);
}

size_t RowBytes(const std::vector<uint8_t>& image, ImageSpec spec) {
  const ImageSize size = RowSize(image, spec);
  spec.height = size.height;
  spec.width = size.width;
  return spec.RowBytes();
}

Row Decode(const std::vector<uint8_t>& image, const ImageSpec& spec, CounterRng rng) {
  const size_t size = RowBytes(image, spec);
  Row row(size);
  row.geometry = ImageDecoder().DecodeInto(image, spec, rng, row.bytes(size));
  return row;
}

// By way of the base, which another draw than the row's has decoded.
Row ByBase(const std::vector<uint8_t>& image, const ImageSpec& spec, CounterRng rng, LevelWriter& writer) {
  Row base = Decode(image, BaseOf(spec), CounterRng(99, 99, 99));
  const size_t size = RowBytes(image, spec);
  Row row(size);
  const ImageSize shown = {base.geometry.source_height, base.geometry.source_width};
  row.geometry = writer.Augment(spec, shown, rng, base.bytes(RowBytes(image, BaseOf(spec))), row.bytes(size));
  return row;
}

bool SameGeometry(const ImageGeometry& a, const ImageGeometry& b) {
  return a.source_width == b.source_width && a.source_height == b.source_height && a.box_left == b.box_left &&
         a.box_top == b.box_top && a.box_width == b.box_width && a.box_height == b.box_height &&
         a.flipped == b.flipped;
}

ImageSpec RandomSpec(CounterRng& rng) {
  ImageSpec spec;
  const auto coin = [&rng] { return rng.NextBelow(2) == 1; };
  constexpr std::array<Crop, 4> kCrops = {Crop::kNone, Crop::kCenter, Crop::kPad, Crop::kBox};
  spec.crop = kCrops.at(rng.NextBelow(4));
  spec.height = 1 + static_cast<int>(rng.NextBelow(40));
  spec.width = 1 + static_cast<int>(rng.NextBelow(40));
  if (spec.crop == Crop::kNone && rng.NextBelow(4) == 0) spec.height = spec.width = 0;
  if (spec.crop == Crop::kCenter) spec.short_side = 40 + static_cast<int>(rng.NextBelow(10));
  spec.box = {static_cast<int>(rng.NextBelow(5)), static_cast<int>(rng.NextBelow(5)),
              1 + static_cast<int>(rng.NextBelow(12)), 1 + static_cast<int>(rng.NextBelow(12))};
  spec.flip = 0.5 * static_cast<double>(rng.NextBelow(3));
  spec.orient = coin();
  spec.antialias = coin();
  spec.family = coin() ? ResizeFamily::kPillow : ResizeFamily::kTensorflow;
  spec.resize = static_cast<Resize>(rng.NextBelow(5));
  if (spec.resize == Resize::kLanczos) spec.antialias = true;
  spec.channels = coin() ? 1 : 3;
  if (coin()) spec.jitter = {.brightness = 0.4, .contrast = coin() ? 0.9 : 0, .saturation = 0.5};
  spec.type = static_cast<PixelType>(rng.NextBelow(3));
  spec.layout = coin() ? PixelLayout::kNhwc : PixelLayout::kNchw;
  if (spec.type != PixelType::kUint8 && coin()) {
    spec.mean = ImageSpec::kImagenetMean;
    spec.std = ImageSpec::kImagenetStd;
  }
  spec.dct_scaling = coin();
  return spec;
}

TEST(BaseLevels, AugmentedGiveTheBytesOfADecode) {
  CounterRng rng(17, 0, 0);
  LevelWriter writer;
  int flips = 0, floats = 0;
  for (int i = 0; i < 1500; ++i) {
    const ImageSpec spec = RandomSpec(rng);
    const Picture picture = MakePicture(17 + static_cast<int>(rng.NextBelow(90)),
                                        17 + static_cast<int>(rng.NextBelow(90)), 3, rng.NextU64());
    const int orientation = 1 + static_cast<int>(rng.NextBelow(8));
    const auto image = i % 2 == 0 ? WithJpegOrientation(EncodeJpeg(picture), orientation)
                                  : WithPngOrientation(EncodePng(picture), orientation);
    SCOPED_TRACE(::testing::Message() << i << ": " << BaseText(spec) << ", " << orientation);
    const CounterRng draws(5, 1, static_cast<uint64_t>(i));
    const Row direct = Decode(image, spec, draws);
    const Row through = ByBase(image, spec, draws, writer);
    ASSERT_EQ(std::memcmp(direct.values.data(), through.values.data(), direct.values.size() * sizeof(float)),
              0);
    ASSERT_TRUE(SameGeometry(direct.geometry, through.geometry));
    flips += direct.geometry.flipped ? 1 : 0;
    floats += BaseOf(spec).type == PixelType::kFloat32 ? 1 : 0;
  }
  EXPECT_GT(flips, 400);
  EXPECT_GT(floats, 400);
}

TEST(BaseLevels, OfNumbersStayNumbers) {
  Picture mask = MakePicture(40, 30, 1);
  for (uint8_t& value : mask.pixels) value %= 7;
  const std::vector<uint8_t> png = EncodePng(mask);
  ImageSpec spec = ByteRows(21, 33, Crop::kPad);
  spec.channels = 1;
  spec.palette = Palette::kIndex;
  spec.resize = Resize::kNearest;
  spec.flip = 1;
  LevelWriter writer;
  EXPECT_EQ(ByBase(png, spec, CounterRng(1, 1, 1), writer).values,
            Decode(png, spec, CounterRng(1, 1, 1)).values);
}

TEST(BaseLevels, AreNotThereWhereChanceCuts) {
  EXPECT_TRUE(HasBase(ByteRows(8, 8, Crop::kCenter)));
  EXPECT_FALSE(HasBase(ByteRows(8, 8, Crop::kRandomResized)));
}

TEST(BaseLevels, AnotherSizeThanTheImagesIsRefused) {
  const ImageSpec spec = ByteRows(8, 8);
  std::vector<uint8_t> base(8 * 8 * 3 - 1), row(8 * 8 * 3);
  LevelWriter writer;
  EXPECT_THROW(writer.Augment(spec, {30, 40}, CounterRng(1, 1, 1), base, row), Error);
}

// Of each field that decides the base its own text, of every other one the same.
TEST(BaseLevels, TheTextTellsBasesApart) {
  ImageSpec plain;
  plain.height = plain.width = 64;
  plain.crop = Crop::kCenter;
  const auto with = [&plain](auto change) {
    ImageSpec spec = plain;
    change(spec);
    return BaseText(spec);
  };
  std::vector<std::string> texts = {
      BaseText(plain),
      with([](ImageSpec& s) { s.height = 63; }),
      with([](ImageSpec& s) { s.width = 63; }),
      with([](ImageSpec& s) { s.short_side = 80; }),
      with([](ImageSpec& s) { s.crop = Crop::kNone; }),
      with([](ImageSpec& s) {
        s.crop = Crop::kNone;
        s.height = s.width = 0;
      }),
      with([](ImageSpec& s) { s.crop = Crop::kPad; }),
      with([](ImageSpec& s) { s.crop = Crop::kBox, s.box = {1, 2, 3, 4}; }),
      with([](ImageSpec& s) { s.crop = Crop::kBox, s.box = {2, 1, 3, 4}; }),
      with([](ImageSpec& s) { s.crop = Crop::kBox, s.box = {1, 2, 4, 3}; }),
      with([](ImageSpec& s) { s.orient = true; }),
      with([](ImageSpec& s) { s.resize = Resize::kBicubic; }),
      with([](ImageSpec& s) { s.antialias = false; }),
      with([](ImageSpec& s) { s.family = ResizeFamily::kTensorflow; }),
      with([](ImageSpec& s) { s.family = ResizeFamily::kTensorflow, s.type = PixelType::kUint8; }),
      with([](ImageSpec& s) { s.channels = 1; }),
      with([](ImageSpec& s) { s.channels = 1, s.palette = Palette::kIndex; }),
      with([](ImageSpec& s) { s.dct_scaling = true; }),
      with([](ImageSpec& s) { s.truncated = Truncated::kKeep; }),
      with([](ImageSpec& s) { s.max_pixels = 5; }),
      with([](ImageSpec& s) { s.max_side = 5; }),
      with([](ImageSpec& s) { s.max_memory = 5; }),
  };
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(std::adjacent_find(texts.begin(), texts.end()), texts.end());
  for (const auto& same : {
           with([](ImageSpec& s) { s.flip = 0.5; }),
           with([](ImageSpec& s) { s.jitter.contrast = 0.5; }),
           with([](ImageSpec& s) { s.type = PixelType::kUint8; }),
           with([](ImageSpec& s) { s.type = PixelType::kFloat16; }),
           with([](ImageSpec& s) { s.layout = PixelLayout::kNhwc; }),
           with([](ImageSpec& s) { s.scale = 1; }),
           with([](ImageSpec& s) { s.mean = ImageSpec::kImagenetMean; }),
           with([](ImageSpec& s) { s.std = ImageSpec::kImagenetStd; }),
           with([](ImageSpec& s) { s.area = {0.5, 1}; }),
           with([](ImageSpec& s) { s.ratio = {1, 1}; }),
           with([](ImageSpec& s) { s.box = {1, 2, 3, 4}; }),
           with([](ImageSpec& s) { s.short_side = 73; }),  // what 0 stands for
       }) {
    EXPECT_EQ(same, BaseText(plain));
  }
  EXPECT_THAT(BaseText(plain),
              ::testing::HasSubstr("64x64, center of 73, bilinear as Pillow, 3 channels uint8"));
}

// What is on disks of users was decoded by an older build. When these numbers change, raise kDecoderVersion in
// base_levels.cc with them: else that older base would be taken for the new one.
TEST(BaseLevels, WhatADecodeGivesIsWhatTheDecoderVersionSays) {
  const std::vector<uint8_t> png = EncodePng(MakePicture(61, 47));
  uint64_t hash = 0;
  for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
    for (int resize = 0; resize < 5; ++resize) {
      for (const Crop crop : {Crop::kNone, Crop::kCenter, Crop::kPad}) {
        for (const int channels : {1, 3}) {
          ImageSpec spec = ByteRows(30, 20, crop);
          spec.short_side = 35;
          spec.type = PixelType::kFloat32;
          spec.family = family;
          spec.resize = static_cast<Resize>(resize);
          spec.channels = channels;
          Row base = Decode(png, BaseOf(spec), CounterRng(1, 1, 1));
          const auto bytes = base.bytes(BaseOf(spec).RowBytes());
          hash = StableHash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, hash);
        }
      }
    }
  }
  EXPECT_EQ(hash, 10555373072291006750u);
  EXPECT_THAT(BaseText(ByteRows(8, 8)), ::testing::HasSubstr("decoder 1 jpeg"));
}

}  // namespace
}  // namespace bucketline
