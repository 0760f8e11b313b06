#include "bucketline/image/colour_jitter.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace bucketline {
namespace {

// Where the three channels of a pixel are.
struct Shape {
  int width;
  int height;
  int channels;
  bool planar;

  size_t values() const {
    return static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels);
  }

  template <typename Level, typename Work>
  void EachRgb(Level* levels, Work work) const {
    const size_t step = planar ? 1 : 3;
    const size_t next = planar ? static_cast<size_t>(width) : 1;
    for (int y = 0; y < height; ++y) {
      Level* pixel = levels + static_cast<size_t>(y) * static_cast<size_t>(width) * 3;
      for (int x = 0; x < width; ++x, pixel += step) work(pixel[0], pixel[next], pixel[2 * next]);
    }
  }
};

// Pillow's convert("L").
uint8_t Luma(uint8_t r, uint8_t g, uint8_t b) {
  return static_cast<uint8_t>((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
}
float Luma(float r, float g, float b) { return 0.299f * r + 0.587f * g + 0.114f * b; }

// Pillow's Image.blend(from, to, factor) for one value: float32, truncated.
uint8_t Blend(uint8_t from, uint8_t to, float factor) {
  const float value = static_cast<float>(from) + factor * (static_cast<float>(to) - static_cast<float>(from));
  return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}
float Blend(float from, float to, float factor) {
  return std::clamp(from + factor * (to - from), 0.0f, 255.0f);
}

void BlendAll(uint8_t* levels, const Shape& shape, uint8_t from, float factor) {
  std::array<uint8_t, 256> table;
  for (int level = 0; level < 256; ++level) {
    table[static_cast<size_t>(level)] = Blend(from, static_cast<uint8_t>(level), factor);
  }
  for (size_t i = 0; i < shape.values(); ++i) levels[i] = table[levels[i]];
}
void BlendAll(float* levels, const Shape& shape, float from, float factor) {
  for (size_t i = 0; i < shape.values(); ++i) levels[i] = Blend(from, levels[i], factor);
}

// What one pixel adds to a sum: whole numbers, so that the sum is the same in whatever order the pixels come.
constexpr double kSumUnit = double{1 << 24};
int64_t Summand(uint8_t luma) { return luma; }
int64_t Summand(float luma) { return static_cast<int64_t>(static_cast<double>(luma) * kSumUnit); }

// ImageEnhance.Contrast: the mean of the luma, rounded to a level for bytes.
template <typename Level>
double MeanLuma(Level* levels, const Shape& shape) {
  int64_t sum = 0;
  if (shape.channels == 1) {
    for (size_t i = 0; i < shape.values(); ++i) sum += Summand(levels[i]);
  } else {
    shape.EachRgb(levels, [&sum](Level r, Level g, Level b) { sum += Summand(Luma(r, g, b)); });
  }
  const double unit = std::is_same_v<Level, float> ? kSumUnit : 1;
  return static_cast<double>(sum) / unit / (static_cast<double>(shape.width) * shape.height);
}

void Contrast(uint8_t* levels, const Shape& shape, float factor) {
  BlendAll(levels, shape, static_cast<uint8_t>(std::floor(MeanLuma(levels, shape) + 0.5)), factor);
}
void Contrast(float* levels, const Shape& shape, float factor) {
  BlendAll(levels, shape, static_cast<float>(MeanLuma(levels, shape)), factor);
}

template <typename Level>
void Saturation(Level* levels, const Shape& shape, float factor) {
  if (shape.channels == 1) return;
  shape.EachRgb(levels, [factor](Level& r, Level& g, Level& b) {
    const Level grey = Luma(r, g, b);
    r = Blend(grey, r, factor);
    g = Blend(grey, g, factor);
    b = Blend(grey, b, factor);
  });
}

template <typename Level>
void ApplyAll(const ColourJitter& jitter, Level* levels, const Shape& shape) {
  for (const ColourJitter::Step step : jitter.order()) {
    switch (step) {
      case ColourJitter::Step::kBrightness:
        if (jitter.brightness() != 1)
          BlendAll(levels, shape, Level{0}, static_cast<float>(jitter.brightness()));
        break;
      case ColourJitter::Step::kContrast:
        if (jitter.contrast() != 1) Contrast(levels, shape, static_cast<float>(jitter.contrast()));
        break;
      case ColourJitter::Step::kSaturation:
        if (jitter.saturation() != 1) Saturation(levels, shape, static_cast<float>(jitter.saturation()));
        break;
    }
  }
}

}  // namespace

ColourJitter::ColourJitter(const ImageSpec& spec, CounterRng sample)
    : any_(spec.jitter.any()), channels_(spec.channels) {
  constexpr uint64_t kStream = 0x6a69747465720001;
  CounterRng rng(sample.NextU64(), kStream, 0);
  std::swap(steps_[2], steps_[rng.NextBelow(3)]);
  std::swap(steps_[1], steps_[rng.NextBelow(2)]);
  const auto draw = [&rng](double strength) {
    const double low = std::max(0.0, 1 - strength);
    const double factor = low + (1 + strength - low) * rng.NextDouble();
    return strength > 0 ? factor : 1.0;
  };
  brightness_ = draw(spec.jitter.brightness);
  contrast_ = draw(spec.jitter.contrast);
  saturation_ = draw(spec.jitter.saturation);
}

void ColourJitter::Apply(uint8_t* levels, int width, int height, RowOrder order) const {
  ApplyAll(*this, levels, Shape{width, height, channels_, order == RowOrder::kPlanar});
}

void ColourJitter::Apply(float* levels, int width, int height, RowOrder order) const {
  ApplyAll(*this, levels, Shape{width, height, channels_, order == RowOrder::kPlanar});
}

}  // namespace bucketline
