#include "bucketline/image/colour_jitter.h"

#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

ImageSpec Spec(Jitter jitter, int channels = 3) {
  ImageSpec spec;
  spec.jitter = jitter;
  spec.channels = channels;
  return spec;
}

std::vector<uint8_t> Noise(size_t count) {
  CounterRng rng(8, 0, 0);
  std::vector<uint8_t> levels(count);
  for (uint8_t& level : levels) level = static_cast<uint8_t>(rng.NextBelow(256));
  return levels;
}

// Rows of r g b r g b as rows of r r g g b b, and back.
std::vector<uint8_t> Planar(const std::vector<uint8_t>& in, size_t width, bool back) {
  std::vector<uint8_t> out(in.size());
  for (size_t y = 0; y < in.size() / (3 * width); ++y) {
    for (size_t x = 0; x < width; ++x) {
      for (size_t c = 0; c < 3; ++c) {
        const size_t inner = (y * width + x) * 3 + c, outer = y * width * 3 + c * width + x;
        out[back ? inner : outer] = in[back ? outer : inner];
      }
    }
  }
  return out;
}

TEST(ColourJitterTest, DrawsAreInRangeAndOfEveryOrder) {
  std::map<std::array<ColourJitter::Step, 3>, int> orders;
  double low = 9, high = 0;
  for (uint64_t i = 0; i < 3000; ++i) {
    const ColourJitter jitter(Spec({0.4, 0, 3}), CounterRng(1, 0, i));
    EXPECT_GE(jitter.brightness(), 0.6);
    EXPECT_LE(jitter.brightness(), 1.4);
    EXPECT_EQ(jitter.contrast(), 1);
    EXPECT_GE(jitter.saturation(), 0);
    EXPECT_LE(jitter.saturation(), 4);
    low = std::min(low, jitter.brightness());
    high = std::max(high, jitter.brightness());
    ++orders[jitter.order()];
  }
  EXPECT_LT(low, 0.605);
  EXPECT_GT(high, 1.395);
  EXPECT_EQ(orders.size(), 6u);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 500, 90);
}

TEST(ColourJitterTest, DependsOnTheSampleAlone) {
  const ColourJitter a(Spec({0.5, 0.5, 0.5}), CounterRng(1, 2, 3));
  const ColourJitter b(Spec({0.5, 0.5, 0.5}), CounterRng(1, 2, 3));
  const ColourJitter other(Spec({0.5, 0.5, 0.5}), CounterRng(1, 3, 3));
  EXPECT_EQ(a.brightness(), b.brightness());
  EXPECT_NE(a.brightness(), other.brightness());
}

TEST(ColourJitterTest, NoneChangesNothing) {
  const auto in = Noise(300);
  auto out = in;
  ColourJitter().Apply(out.data(), 10, 10, RowOrder::kInterleaved);
  EXPECT_EQ(out, in);
  EXPECT_FALSE(ColourJitter(Spec({}), CounterRng(0, 0, 0)).any());
}

TEST(ColourJitterTest, BrightnessScalesAndTruncates) {
  auto levels = Noise(300);
  const auto in = levels;
  const ColourJitter jitter(Spec({0.9, 0, 0}), CounterRng(4, 0, 4));
  jitter.Apply(levels.data(), 10, 10, RowOrder::kInterleaved);
  const auto factor = static_cast<float>(jitter.brightness());
  for (size_t i = 0; i < in.size(); ++i) {
    EXPECT_EQ(levels[i], static_cast<uint8_t>(std::min(255.0f, in[i] * factor)));
  }
}

TEST(ColourJitterTest, ContrastKeepsTheMeanAndGreyKeepsItsHue) {
  std::vector<float> levels;
  for (const uint8_t level : Noise(100)) levels.insert(levels.end(), 3, 100 + static_cast<float>(level) / 8);
  const auto in = levels;
  const auto mean = [](const std::vector<float>& v) {
    double sum = 0;
    for (const float value : v) sum += value;
    return sum / static_cast<double>(v.size());
  };
  const ColourJitter contrast(Spec({0, 0.8, 0}), CounterRng(4, 0, 9));
  contrast.Apply(levels.data(), 10, 10, RowOrder::kInterleaved);
  EXPECT_NE(levels, in);
  EXPECT_NEAR(mean(levels), mean(in), 0.01);
  levels = in;
  const ColourJitter saturation(Spec({0, 0, 0.8}), CounterRng(4, 0, 9));
  saturation.Apply(levels.data(), 10, 10, RowOrder::kInterleaved);
  for (size_t i = 0; i < in.size(); ++i) EXPECT_NEAR(levels[i], in[i], 1e-3);
}

TEST(ColourJitterTest, PlanesAndPixelsGiveTheSame) {
  for (uint64_t i = 0; i < 12; ++i) {
    const ColourJitter jitter(Spec({0.7, 0.7, 2}), CounterRng(1, 0, i));
    auto inner = Noise(3 * 11 * 7);
    auto outer = Planar(inner, 11, false);
    jitter.Apply(inner.data(), 11, 7, RowOrder::kInterleaved);
    jitter.Apply(outer.data(), 11, 7, RowOrder::kPlanar);
    EXPECT_EQ(Planar(outer, 11, true), inner);
  }
}

TEST(ColourJitterTest, OneChannelHasNoSaturation) {
  const ColourJitter jitter(Spec({0, 0, 2}, 1), CounterRng(1, 0, 1));
  auto levels = Noise(77);
  const auto in = levels;
  jitter.Apply(levels.data(), 11, 7, RowOrder::kInterleaved);
  EXPECT_EQ(levels, in);
}

// An orientation turns the order in which pixels come. These are chosen so that a sum in floating point, which would lose the
// small ones after the large ones alone, has another mean as float32.
TEST(ColourJitterTest, ContrastOfFloatsIsTheSameInEveryOrder) {
  std::vector<float> levels = {255, 255, 255, 255, 4, 0x1p-14f};
  levels.resize(1024, 0x1p-44f);
  for (uint64_t i = 0; i < 20; ++i) {
    const ColourJitter jitter(Spec({0, 0.9, 0}, 1), CounterRng(1, 0, i));
    std::vector<float> forwards = levels, backwards(levels.rbegin(), levels.rend());
    jitter.Apply(forwards.data(), 32, 32, RowOrder::kInterleaved);
    jitter.Apply(backwards.data(), 32, 32, RowOrder::kInterleaved);
    EXPECT_EQ(forwards, std::vector<float>(backwards.rbegin(), backwards.rend()));
  }
}

}  // namespace
}  // namespace bucketline
