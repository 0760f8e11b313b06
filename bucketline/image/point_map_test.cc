#include "bucketline/image/point_map.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/image/test_formats.h"

namespace bucketline {
namespace {

using namespace testing;

constexpr int kWidth = 96;
constexpr int kHeight = 64;

struct Point {
  double x = 0;
  double y = 0;
};

// A white square of 10 x 10 pixels, whose middle is `centre`, on black.
Picture MarkedPicture(Point centre) {
  Picture picture{kWidth, kHeight, 1, std::vector<uint8_t>(size_t{kWidth} * kHeight)};
  for (int y = -5; y < 5; ++y) {
    for (int x = -5; x < 5; ++x) {
      const auto row = static_cast<size_t>(centre.y + y);
      picture.pixels[row * kWidth + static_cast<size_t>(centre.x + x)] = 255;
    }
  }
  return picture;
}

// The middle of what is bright, with pixel centres at .5.
Point MiddleOf(const std::vector<uint8_t>& row, int width) {
  double sum = 0;
  Point middle;
  for (size_t i = 0; i < row.size(); ++i) {
    sum += row[i];
    middle.x += row[i] * (static_cast<double>(i % static_cast<size_t>(width)) + 0.5);
    middle.y += row[i] * (std::floor(static_cast<double>(i) / width) + 0.5);
  }
  return {middle.x / sum, middle.y / sum};
}

void ExpectMarkWhereTheMapSays(const std::vector<uint8_t>& png, const ImageSpec& spec, Point mark,
                               uint64_t position) {
  ImageDecoder decoder;
  std::vector<uint8_t> row(spec.RowBytes());
  const ImageGeometry geometry = decoder.DecodeInto(png, spec, CounterRng(7, 0, position), row);
  const PointMap map = MapToRow(geometry, {spec.height, spec.width});
  EXPECT_EQ(map[1], 0);
  EXPECT_EQ(map[3], 0);
  const Point found = MiddleOf(row, spec.width);
  EXPECT_NEAR(map[0] * mark.x + map[1] * mark.y + map[2], found.x, 0.25) << geometry.flipped;
  EXPECT_NEAR(map[3] * mark.x + map[4] * mark.y + map[5], found.y, 0.25);
}

TEST(PointMap, AMarkLiesWhereItSays) {
  const Point mark{40, 30};
  const std::vector<uint8_t> png = EncodePng(MarkedPicture(mark));
  uint64_t position = 0;
  for (const ResizeFamily family : {ResizeFamily::kPillow, ResizeFamily::kTensorflow}) {
    for (const Crop crop : {Crop::kNone, Crop::kCenter, Crop::kRandomResized, Crop::kPad, Crop::kBox}) {
      for (const double flip : {0.0, 1.0}) {
        ImageSpec spec = ByteRows(80, 70, crop);
        spec.channels = 1;
        spec.family = family;
        spec.flip = flip;
        spec.area = {0.8, 1};  // so that the mark is in every box
        spec.ratio = {1, 1.5};
        spec.box = {.left = 20, .top = 10, .width = 50, .height = 45};
        ExpectMarkWhereTheMapSays(png, spec, mark, position++);
      }
    }
  }
}

TEST(PointMap, PointsAreThoseOfTheImageAsItIsShown) {
  const Picture stored = MarkedPicture({70, 20});
  // Where each EXIF orientation shows that point.
  const Point shown[] = {{70, 20}, {26, 20}, {26, 44}, {70, 44}, {20, 70}, {44, 70}, {44, 26}, {20, 26}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    ImageSpec spec = ByteRows(50, 60);
    spec.channels = 1;
    spec.orient = true;
    ExpectMarkWhereTheMapSays(WithPngOrientation(EncodePng(stored), orientation), spec,
                              shown[orientation - 1], 0);
    spec.orient = false;
    ExpectMarkWhereTheMapSays(WithPngOrientation(EncodePng(stored), orientation), spec, {70, 20}, 0);
  }
}

TEST(PointMap, CornersOfTheBoxAreCornersOfTheRow) {
  const ImageGeometry geometry{.source_width = 100,
                               .source_height = 80,
                               .box_left = 10,
                               .box_top = 20,
                               .box_width = 50,
                               .box_height = 40,
                               .flipped = true};
  EXPECT_EQ(MapToRow(geometry, {20, 200}), (PointMap{-4, 0, 240, 0, 0.5, -10}));
}

}  // namespace
}  // namespace bucketline
