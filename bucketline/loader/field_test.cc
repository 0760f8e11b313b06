#include "bucketline/loader/field.h"

#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using testing::SmallSpec;

ImageSpec Bytes(int height, int width, int channels) {
  ImageSpec spec;
  spec.height = height;
  spec.width = width;
  spec.channels = channels;
  spec.type = PixelType::kUint8;
  return spec;
}

TEST(TensorLayout, TensorsFollowEachOtherAligned) {
  const std::vector<Field> fields = {{.name = "mask", .image = Bytes(5, 5, 1)},
                                     {.name = "text", .decode = false},
                                     {.name = "image", .image = Bytes(4, 3, 3)}};
  const TensorLayout layout = LayOutTensors(fields, {}, 3);
  ASSERT_EQ(layout.fields.size(), 3u);
  EXPECT_EQ(layout.fields[0], (TensorPlace{.height = 5, .width = 5, .row_bytes = 25, .offset = 0}));
  EXPECT_EQ(layout.fields[1], TensorPlace{});
  EXPECT_EQ(layout.fields[2], (TensorPlace{.height = 4, .width = 3, .row_bytes = 36, .offset = 128}));
  EXPECT_EQ(layout.bytes, 128u + 3 * 36);
}

TEST(TensorLayout, ImagesWithoutASizeBringTheirOwn) {
  const std::vector<Field> fields = {{.image = Bytes(0, 0, 3)}, {.image = Bytes(2, 2, 1)}};
  const std::vector<ImageSize> sizes = {{.height = 7, .width = 9}, {.height = 100, .width = 100}};
  const TensorLayout layout = LayOutTensors(fields, sizes, 2);
  EXPECT_EQ(layout.fields[0].row_bytes, 7u * 9 * 3);
  EXPECT_EQ(layout.fields[1].row_bytes, 4u);
}

TEST(Field, ATurnedImageHasTheSizeThatItShows) {
  ImageSpec image = SmallSpec();
  image.orient = true;
  const std::vector<Field> fields = {{.name = "image", .image = image},
                                     {.name = "mask", .image = image, .like = 0}};
  std::vector<ImageInfo> infos = {{.format = ImageFormat::kJpeg, .width = 40, .height = 30, .orientation = 6},
                                  {.format = ImageFormat::kPng, .width = 30, .height = 40}};
  EXPECT_FALSE(SizesThatDiffer(fields, infos));
  infos[1].width = 40;
  const std::optional<FieldFault> fault = SizesThatDiffer(fields, infos);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->field, 1u);
}

}  // namespace
}  // namespace bucketline
