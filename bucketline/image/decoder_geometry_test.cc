// What a spec does to the geometry of whole decodes: orientation, padding, boxes, DCT scaling.
#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/test_formats.h"

namespace bucketline {
namespace {

using namespace testing;

template <typename T = uint8_t>
std::vector<T> Decode(const std::vector<uint8_t>& bytes, const ImageSpec& spec, uint64_t position = 0,
                      ImageGeometry* geometry = nullptr) {
  ImageDecoder decoder;
  ImageSpec sized = spec;
  if (sized.height == 0) {
    const ImageSize size = OwnSize(ProbeImage(bytes), spec);
    sized.height = size.height;
    sized.width = size.width;
  }
  std::vector<T> row(sized.RowBytes() / sizeof(T));
  const ImageGeometry done = decoder.DecodeInto(bytes, spec, CounterRng(3, 0, position),
                                                {reinterpret_cast<uint8_t*>(row.data()), sized.RowBytes()});
  if (geometry != nullptr) *geometry = done;
  return row;
}

class OrientationTest : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(All, OrientationTest, ::testing::Range(1, 9));

TEST_P(OrientationTest, IsReadFromPngAndJpeg) {
  const Picture picture = MakePicture(40, 30);
  EXPECT_EQ(ProbeImage(WithPngOrientation(EncodePng(picture), GetParam())).orientation, GetParam());
  EXPECT_EQ(ProbeImage(WithJpegOrientation(EncodeJpeg(picture), GetParam())).orientation, GetParam());
  EXPECT_EQ(ProbeImage(EncodeJpeg(picture)).orientation, 1);
}

TEST_P(OrientationTest, GivesTheTurnedPicture) {
  const Picture picture = MakePicture(37, 23);
  const auto bytes = WithPngOrientation(EncodePng(picture), GetParam());
  ImageSpec spec = ByteRows(0, 0);
  EXPECT_EQ(Decode(bytes, spec), picture.pixels);
  spec.orient = true;
  EXPECT_EQ(Decode(bytes, spec), Turned(picture, GetParam()).pixels);
}

// Every byte, whatever the crop, filter and layout: the rectangle is transformed, and nobody can tell.
TEST_P(OrientationTest, CropsAndFiltersAreThoseOfTheTurnedPicture) {
  const Picture picture = MakePicture(83, 59);
  const auto stored = WithPngOrientation(EncodePng(picture), GetParam());
  const auto turned = EncodePng(Turned(picture, GetParam()));
  uint64_t position = 0;
  for (const Crop crop : {Crop::kNone, Crop::kCenter, Crop::kRandomResized, Crop::kPad, Crop::kBox}) {
    for (const Resize resize :
         {Resize::kBilinear, Resize::kBicubic, Resize::kLanczos, Resize::kArea, Resize::kNearest}) {
      for (const PixelLayout layout : {PixelLayout::kNhwc, PixelLayout::kNchw}) {
        ImageSpec spec = ByteRows(31, 44, crop);
        spec.short_side = 50;
        spec.box = {7, 5, 40, 45};
        spec.resize = resize;
        spec.layout = layout;
        spec.flip = 0.5;
        spec.channels = position % 3 == 0 ? 1 : 3;
        spec.jitter.contrast = position % 4 == 0 ? 0.5 : 0;
        ImageSpec orient = spec;
        orient.orient = true;
        ImageGeometry a, b;
        EXPECT_EQ(Decode(stored, orient, position, &a), Decode(turned, spec, position, &b)) << position;
        EXPECT_EQ(a.box_left, b.box_left);
        EXPECT_EQ(a.box_height, b.box_height);
        EXPECT_EQ(a.source_width, b.source_width);
        ++position;
      }
    }
  }
}

TEST_P(OrientationTest, FloatsDifferInTheirLastBitsAtMost) {
  const Picture picture = MakePicture(83, 59);
  const auto stored = WithPngOrientation(EncodePng(picture), GetParam());
  const auto turned = EncodePng(Turned(picture, GetParam()));
  ImageSpec spec = ByteRows(31, 44);
  spec.type = PixelType::kFloat32;
  spec.family = ResizeFamily::kTensorflow;
  const auto expected = Decode<float>(turned, spec);
  spec.orient = true;
  const auto row = Decode<float>(stored, spec);
  for (size_t i = 0; i < row.size(); ++i) ASSERT_NEAR(row[i], expected[i], 1e-6);
}

TEST(DecoderGeometryTest, PaddingIsLevelZeroAroundTheImage) {
  const Picture picture = MakePicture(40, 20);
  const auto bytes = EncodePng(picture);
  ImageGeometry geometry;
  const auto row = Decode(bytes, ByteRows(40, 40, Crop::kPad), 0, &geometry);
  const auto inside = Decode(bytes, ByteRows(20, 40));
  for (size_t i = 0; i < row.size(); ++i) {
    const size_t y = i / (40 * 3);
    ASSERT_EQ(row[i], y < 10 || y >= 30 ? 0 : inside[i - 10 * 40 * 3]);
  }
  EXPECT_EQ(geometry.box_top, -10);
  EXPECT_EQ(geometry.box_height, 40);
  EXPECT_EQ(geometry.box_left, 0);
}

TEST(DecoderGeometryTest, PaddingIsNormalisedInEveryLayoutAndType) {
  const auto bytes = EncodePng(MakePicture(20, 41));
  for (const PixelLayout layout : {PixelLayout::kNhwc, PixelLayout::kNchw}) {
    ImageSpec spec = ByteRows(30, 30, Crop::kPad);
    spec.type = PixelType::kFloat32;
    spec.layout = layout;
    spec.mean = ImageSpec::kImagenetMean;
    spec.std = ImageSpec::kImagenetStd;
    const auto row = Decode<float>(bytes, spec);
    for (size_t c = 0; c < 3; ++c) {
      const size_t corner = layout == PixelLayout::kNchw ? c * 900 : c;
      const size_t last = layout == PixelLayout::kNchw ? c * 900 + 899 : 899 * 3 + c;
      EXPECT_EQ(row[corner], (0 * spec.scale - spec.mean[c]) / spec.std[c]);
      EXPECT_EQ(row[last], row[corner]);
    }
  }
}

TEST(DecoderGeometryTest, ABoxIsCutAndStretched) {
  const Picture picture = MakePicture(60, 50);
  ImageSpec spec = ByteRows(12, 17, Crop::kBox);
  spec.box = {20, 10, 17, 12};
  const auto row = Decode(EncodePng(picture), spec);
  for (int y = 0; y < 12; ++y) {
    EXPECT_EQ(std::memcmp(&row[static_cast<size_t>(y) * 17 * 3], picture.At(20, 10 + y), 17 * 3), 0);
  }
  spec.box = {44, 10, 17, 12};
  try {
    Decode(EncodePng(picture), spec);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("left 44, top 10, width 17, height 12"));
    EXPECT_THAT(error.message(), ::testing::HasSubstr("60 x 50"));
  }
}

Picture Smooth(int width, int height) {
  Picture picture{width, height, 3, {}};
  for (int i = 0; i < width * height * 3; ++i) {
    const int x = i / 3 % width, y = i / 3 / width;
    picture.pixels.push_back(
        static_cast<uint8_t>(127 + 100 * std::sin(x / 40.0) * std::cos(y / 30.0 + i % 3)));
  }
  return picture;
}

TEST(DecoderGeometryTest, DctScalingShowsTheSameScene) {
  for (const int sampling : {1, 2}) {
    const auto bytes = EncodeJpeg(Smooth(801, 603), {.h_sampling = sampling, .v_sampling = sampling});
    for (uint64_t position = 0; position < 20; ++position) {
      ImageSpec spec = ByteRows(48, 48, position % 2 == 0 ? Crop::kRandomResized : Crop::kCenter);
      spec.area = {0.3, 1};
      spec.flip = 0.5;
      ImageGeometry whole, scaled;
      const auto full = Decode(bytes, spec, position, &whole);
      spec.dct_scaling = true;
      const auto fast = Decode(bytes, spec, position, &scaled);
      EXPECT_EQ(scaled.box_left, whole.box_left);
      EXPECT_EQ(scaled.box_width, whole.box_width);
      double sum = 0;
      for (size_t i = 0; i < full.size(); ++i) sum += std::abs(full[i] - fast[i]);
      EXPECT_LT(sum / static_cast<double>(full.size()), 1.0) << position;
    }
  }
}

TEST(DecoderGeometryTest, DctScalingKeepsTwiceThePixels) {
  const auto bytes = EncodeJpeg(MakePicture(199, 199));
  ImageSpec spec = ByteRows(50, 50);
  const auto full = Decode(bytes, spec);
  spec.dct_scaling = true;
  EXPECT_EQ(Decode(bytes, spec), full);
  const auto larger = EncodeJpeg(MakePicture(200, 200));
  const auto fast = Decode(larger, spec);
  spec.dct_scaling = false;
  EXPECT_NE(Decode(larger, spec), fast);
}

TEST(DecoderGeometryTest, MemoryIsLimited) {
  const auto bytes = EncodePng(MakePicture(200, 200), true);
  ImageSpec spec = ByteRows(20, 20);
  const size_t needed = ImageDecoder::ScratchBytes(ProbeImage(bytes), spec);
  spec.max_memory = needed;
  EXPECT_NO_THROW(Decode(bytes, spec));
  spec.max_memory = needed - 1;
  try {
    Decode(bytes, spec);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("max_memory"));
  }
}

}  // namespace
}  // namespace bucketline
