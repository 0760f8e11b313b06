#include "bucketline/image/level_writer.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "bucketline/image/decoder.h"
#include "bucketline/image/test_images.h"

namespace bucketline {
namespace {

using namespace testing;

const std::vector<uint8_t>& Jpeg() {
  static const std::vector<uint8_t> jpeg = EncodeJpeg(MakePicture(61, 47));
  return jpeg;
}

std::vector<uint8_t> Direct(const ImageSpec& spec) {
  std::vector<uint8_t> row(spec.RowBytes());
  ImageDecoder().DecodeInto(Jpeg(), spec, CounterRng(1, 2, 3), row);
  return row;
}

std::vector<uint8_t> ByLevels(const ImageSpec& spec, LevelWriter& writer) {
  const std::vector<uint8_t> levels = Direct(LevelsOf(spec));
  std::vector<uint8_t> row(spec.RowBytes());
  writer.Write(spec, spec.height, spec.width, levels, row);
  return row;
}

ImageSpec Spec(PixelType type, PixelLayout layout, int channels, ResizeFamily family) {
  ImageSpec spec;
  spec.height = 30;
  spec.width = 20;
  spec.crop = Crop::kPad;
  spec.flip = 1;
  spec.jitter = {.brightness = 0.4, .contrast = 0.4, .saturation = 0.4};
  spec.type = type;
  spec.layout = layout;
  spec.channels = channels;
  spec.family = family;
  if (type != PixelType::kUint8) {
    spec.mean = ImageSpec::kImagenetMean;
    spec.std = ImageSpec::kImagenetStd;
  }
  return spec;
}

TEST(LevelWriter, WritesWhatADecodeWrites) {
  LevelWriter writer;
  for (const PixelType type : {PixelType::kUint8, PixelType::kFloat16, PixelType::kFloat32}) {
    for (const PixelLayout layout : {PixelLayout::kNhwc, PixelLayout::kNchw}) {
      for (const int channels : {1, 3}) {
        const ImageSpec spec = Spec(type, layout, channels, ResizeFamily::kPillow);
        EXPECT_EQ(ByLevels(spec, writer), Direct(spec));
      }
    }
  }
}

TEST(LevelWriter, TensorflowsFloatsAreThoseOfRoundedLevels) {
  LevelWriter writer;
  ImageSpec spec = Spec(PixelType::kUint8, PixelLayout::kNchw, 3, ResizeFamily::kTensorflow);
  EXPECT_EQ(ByLevels(spec, writer), Direct(spec));
  spec.type = PixelType::kFloat32;
  spec.scale = 1;
  const std::vector<uint8_t> exact = Direct(spec);
  const std::vector<uint8_t> rounded = ByLevels(spec, writer);
  for (size_t i = 0; i < exact.size(); i += sizeof(float)) {
    float wanted = 0;
    float level = 0;
    std::memcpy(&wanted, &exact[i], sizeof(float));
    std::memcpy(&level, &rounded[i], sizeof(float));
    ASSERT_EQ(level, std::floor(level));
    ASSERT_LE(std::abs(level - wanted), 0.5f);
  }
}

}  // namespace
}  // namespace bucketline
