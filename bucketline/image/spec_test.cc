#include "bucketline/image/spec.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/image/crop_box.h"

namespace bucketline {
namespace {

using ::testing::StartsWith;

ImageSpec Good() {
  ImageSpec spec;
  spec.height = spec.width = 224;
  return spec;
}

void ExpectBad(const ImageSpec& spec, const char* field) {
  try {
    spec.Validate();
    ADD_FAILURE() << field << " was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), StartsWith(std::string("the image option ") + field + ":"));
  }
}

template <typename Change>
void ExpectBad(Change change, const char* field) {
  ImageSpec spec = Good();
  change(spec);
  ExpectBad(spec, field);
}

TEST(ImageSpecTest, DefaultsAreValid) {
  EXPECT_NO_THROW(ImageSpec{}.Validate());
  EXPECT_NO_THROW(Good().Validate());
}

TEST(ImageSpecTest, NamesTheFieldThatIsOutOfRange) {
  ExpectBad([](ImageSpec& s) { s.height = -1; }, "height");
  ExpectBad([](ImageSpec& s) { s.height = 65'536; }, "height");
  ExpectBad([](ImageSpec& s) { s.width = 65'536; }, "width");
  ExpectBad([](ImageSpec& s) { s.width = 0; }, "height");
  ExpectBad([](ImageSpec& s) { s.short_side = -1; }, "short_side");
  ExpectBad([](ImageSpec& s) { s.area = {0, 1}; }, "area");
  ExpectBad([](ImageSpec& s) { s.area = {0.5, 0.4}; }, "area");
  ExpectBad([](ImageSpec& s) { s.area = {0.5, 1.1}; }, "area");
  ExpectBad([](ImageSpec& s) { s.ratio = {-1, 1}; }, "ratio");
  ExpectBad([](ImageSpec& s) { s.ratio = {2, 1}; }, "ratio");
  ExpectBad([](ImageSpec& s) { s.ratio = {1, 1e7}; }, "ratio");
  ExpectBad([](ImageSpec& s) { s.flip = 1.01; }, "flip");
  ExpectBad([](ImageSpec& s) { s.flip = std::numeric_limits<double>::quiet_NaN(); }, "flip");
  ExpectBad([](ImageSpec& s) { s.channels = 2; }, "channels");
  ExpectBad([](ImageSpec& s) { s.palette = Palette::kIndex; }, "palette");
  ExpectBad(
      [](ImageSpec& s) {
        s.palette = Palette::kIndex;
        s.channels = 1;
        s.height = s.width = 8;
      },
      "palette");
  ExpectBad(
      [](ImageSpec& s) {
        s.palette = Palette::kIndex;
        s.channels = 1;
        s.jitter.contrast = 1;
      },
      "palette");
  ExpectBad([](ImageSpec& s) { s.std[2] = 0; }, "std");
  ExpectBad([](ImageSpec& s) { s.mean[1] = std::numeric_limits<float>::infinity(); }, "mean");
  ExpectBad([](ImageSpec& s) { s.scale = std::numeric_limits<float>::quiet_NaN(); }, "scale");
  ExpectBad([](ImageSpec& s) { s.max_pixels = 0; }, "max_pixels");
}

TEST(ImageSpecTest, CropsNeedASize) {
  ImageSpec spec;
  for (const Crop crop : {Crop::kCenter, Crop::kRandomResized, Crop::kPad, Crop::kBox}) {
    spec.crop = crop;
    ExpectBad(spec, "height");
  }
}

TEST(ImageSpecTest, CenterNeverPads) {
  ImageSpec spec = Good();
  spec.crop = Crop::kCenter;
  EXPECT_NO_THROW(spec.Validate());
  spec.short_side = 224;
  EXPECT_NO_THROW(spec.Validate());
  spec.short_side = 223;
  ExpectBad(spec, "short_side");
  spec.short_side = 0;
  spec.width = 400;  // 256 by default, from the height
  ExpectBad(spec, "short_side");
}

TEST(ImageSpecTest, DefaultShortSideKeepsTheUsualProportion) {
  ImageSpec spec = Good();
  EXPECT_EQ(spec.ShortSide(), 256);
  spec.height = spec.width = 299;
  EXPECT_EQ(spec.ShortSide(), 342);
  spec.short_side = 300;
  EXPECT_EQ(spec.ShortSide(), 300);
}

TEST(ImageSpecTest, BytesTakeNoNormalisation) {
  for (auto change : {+[](ImageSpec& s) { s.scale = 1; }, +[](ImageSpec& s) { s.mean[0] = 0.5f; },
                      +[](ImageSpec& s) { s.std[1] = 2; }}) {
    ImageSpec spec = Good();
    change(spec);
    EXPECT_NO_THROW(spec.Validate());
    spec.type = PixelType::kUint8;
    ExpectBad(spec, "type");
  }
}

TEST(ImageSpecTest, RowBytesCountsValues) {
  ImageSpec spec = Good();
  EXPECT_EQ(spec.RowBytes(), 224u * 224 * 3 * 4);
  spec.type = PixelType::kUint8;
  spec.channels = 1;
  EXPECT_EQ(spec.RowBytes(), 224u * 224);
  spec.type = PixelType::kFloat16;
  EXPECT_EQ(spec.RowBytes(), 224u * 224 * 2);
}

TEST(ImageSpecTest, NewFieldsHaveRangesToo) {
  ExpectBad([](ImageSpec& s) { s.max_side = 0; }, "max_side");
  ExpectBad([](ImageSpec& s) { s.max_memory = 0; }, "max_memory");
  ExpectBad([](ImageSpec& s) { s.jitter.brightness = -0.1; }, "jitter.brightness");
  ExpectBad([](ImageSpec& s) { s.jitter.contrast = std::numeric_limits<double>::quiet_NaN(); },
            "jitter.contrast");
  ExpectBad([](ImageSpec& s) { s.jitter.saturation = 101; }, "jitter.saturation");
  ExpectBad([](ImageSpec& s) { s.crop = Crop::kBox; }, "box");
  ExpectBad([](ImageSpec& s) { s.crop = Crop::kBox, s.box = {-1, 0, 5, 5}; }, "box");
  ExpectBad([](ImageSpec& s) { s.resize = Resize::kLanczos, s.antialias = false; }, "antialias");
  ImageSpec spec = Good();
  spec.resize = Resize::kLanczos;
  spec.antialias = false;
  spec.family = ResizeFamily::kTensorflow;
  EXPECT_NO_THROW(spec.Validate());
}

TEST(ImageSpecTest, TheGeometryOfAnotherIsTheSameBoxOfAnImageOfTheSameSize) {
  ImageSpec photo;
  photo.height = 20;
  photo.width = 30;
  photo.crop = Crop::kRandomResized;
  photo.area = {0.2, 0.5};
  photo.ratio = {1, 2};
  photo.flip = 0.5;
  photo.orient = true;
  photo.family = ResizeFamily::kTensorflow;
  ImageSpec mask;
  mask.channels = 1;
  mask.palette = Palette::kIndex;
  mask.resize = Resize::kNearest;
  mask.type = PixelType::kUint8;
  const ImageSpec shared = mask.WithGeometryOf(photo);
  EXPECT_NO_THROW(shared.Validate());
  EXPECT_EQ(shared.WithGeometryOf(ImageSpec{}), mask);
  for (uint64_t position = 0; position < 20; ++position) {
    const CropPlan one = PlanCrop(photo, 100, 80, CounterRng(1, 2, position));
    const CropPlan two = PlanCrop(shared, 100, 80, CounterRng(1, 2, position));
    EXPECT_EQ(one.x, two.x);
    EXPECT_EQ(one.y, two.y);
    EXPECT_EQ(one.flip, two.flip);
  }
}

}  // namespace
}  // namespace bucketline
