#include "bucketline/inspect/synthetic_images.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"
#include "bucketline/image/jpeg_encode.h"

namespace bucketline {
namespace {

using Colour = std::array<double, 3>;

double Between(CounterRng& rng, double low, double high) { return low + (high - low) * rng.NextDouble(); }

Colour DrawColour(CounterRng& rng, double low, double high) {
  return {Between(rng, low, high), Between(rng, low, high), Between(rng, low, high)};
}

// A wave through the plane: straight fronts give stripes, circular ones rings.
struct Pattern {
  bool rings;
  double wavelength, phase, angle, centre_x, centre_y;

  // In [0, 1]; coordinates in units of the image's side.
  double At(double x, double y) const {
    const double dx = x - centre_x, dy = y - centre_y;
    const double distance = rings ? std::hypot(dx, dy) : dx * std::cos(angle) + dy * std::sin(angle);
    return 0.5 + 0.5 * std::sin(2 * std::numbers::pi * (distance / wavelength + phase));
  }
};

std::vector<uint8_t> Paint(const Pattern& pattern, int size, CounterRng& rng) {
  const Colour dark = DrawColour(rng, 0, 100), light = DrawColour(rng, 155, 255);
  const double noise = Between(rng, 5, 40);
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * static_cast<size_t>(size) * 3);
  uint8_t* out = pixels.data();
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const double mix = pattern.At((x + 0.5) / size, (y + 0.5) / size);
      for (size_t channel = 0; channel < 3; ++channel) {
        const double level =
            dark[channel] + (light[channel] - dark[channel]) * mix + noise * (rng.NextDouble() - 0.5);
        *out++ = static_cast<uint8_t>(std::clamp(level, 0.0, 255.0));
      }
    }
  }
  return pixels;
}

}  // namespace

const std::vector<std::string>& SyntheticClasses() {
  static const std::vector<std::string> classes = {"rings", "stripes"};
  return classes;
}

SyntheticImage MakeSyntheticImage(uint64_t index, uint64_t seed, int size) {
  if (size < 16 || size > 4096) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("image size {} is not in 16..4096", size));
  }
  const std::vector<std::string>& classes = SyntheticClasses();
  const size_t label = index % classes.size();
  CounterRng rng(seed, 0, index);
  const Pattern pattern{.rings = label == 0,
                        .wavelength = Between(rng, 0.1, 0.2),
                        .phase = rng.NextDouble(),
                        .angle = Between(rng, 0, std::numbers::pi),
                        .centre_x = rng.NextDouble(),
                        .centre_y = rng.NextDouble()};
  const std::vector<uint8_t> pixels = Paint(pattern, size, rng);
  return {.key = fmt::format("{}/{:05}.jpg", classes[label], index / classes.size()),
          .jpeg = EncodeJpeg(pixels, size, size, 3, static_cast<int>(Between(rng, 75, 95)))};
}

}  // namespace bucketline
