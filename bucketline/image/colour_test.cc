#include "bucketline/image/colour.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(ColourTest, LumaIsTheWeightedSumAndMayOverwriteItsInput) {
  std::vector<uint8_t> rgb = {255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 30};
  const std::vector<uint8_t> in = rgb;
  RgbToGrey(rgb.data(), 6, rgb.data());
  for (size_t i = 0; i < 6; ++i) {
    const double luma = 0.299 * in[3 * i] + 0.587 * in[3 * i + 1] + 0.114 * in[3 * i + 2];
    EXPECT_NEAR(rgb[i], luma, 0.51);
  }
  EXPECT_EQ(rgb[0], 255);
  EXPECT_EQ(rgb[2], 76);
}

TEST(ColourTest, TakesTheFirstOfThree) {
  std::vector<uint8_t> rgb = {7, 1, 2, 8, 3, 4};
  TakeFirstOfThree(rgb.data(), 2, rgb.data());
  EXPECT_EQ(rgb[0], 7);
  EXPECT_EQ(rgb[1], 8);
}

TEST(ColourTest, EveryCmykIsNearTheProductOfInkAndBlack) {
  std::vector<uint8_t> cmyk, rgb;
  for (int ink = 0; ink < 256; ink += 3) {
    for (int black = 0; black < 256; black += 5) {
      cmyk.insert(cmyk.end(), {static_cast<uint8_t>(ink), 255, 0, static_cast<uint8_t>(black)});
    }
  }
  const auto count = static_cast<int>(cmyk.size() / 4);
  rgb.resize(cmyk.size());
  for (const CmykRule rule : {CmykRule::kPillow, CmykRule::kTensorflow, CmykRule::kTensorflowInverted}) {
    CmykToRgb(cmyk.data(), count, rule, rgb.data());
    for (int i = 0; i < count; ++i) {
      const double ink = cmyk[static_cast<size_t>(4 * i)], black = cmyk[static_cast<size_t>(4 * i + 3)];
      const double expected =
          rule == CmykRule::kTensorflow ? (255 - ink) * (255 - black) / 255 : ink * black / 255;
      EXPECT_NEAR(rgb[static_cast<size_t>(3 * i)], expected, 1.01);
      EXPECT_EQ(rgb[static_cast<size_t>(3 * i + 1)],
                rule == CmykRule::kTensorflow ? 0 : static_cast<uint8_t>(black));
    }
  }
}

}  // namespace
}  // namespace bucketline
