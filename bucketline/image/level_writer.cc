#include "bucketline/image/level_writer.h"

namespace bucketline {
namespace {

Placement Everywhere(int height, int width) {
  Placement place;
  place.width = place.part_width = width;
  place.height = place.part_height = height;
  return place;
}

}  // namespace

ImageSpec LevelsOf(const ImageSpec& spec) {
  const ImageSpec defaults;
  ImageSpec levels = spec;
  levels.type = PixelType::kUint8;
  levels.layout = PixelLayout::kNhwc;
  levels.scale = defaults.scale;
  levels.mean = defaults.mean;
  levels.std = defaults.std;
  return levels;
}

void LevelWriter::Write(const ImageSpec& spec, int height, int width, std::span<const uint8_t> levels,
                        std::span<uint8_t> row) {
  ImageSpec plain = spec;
  plain.jitter = {};  // the levels have it
  emitter_.Prepare(plain, FastestKernels(), Everywhere(height, width), CounterRng(0, 0, 0), row);
  const auto channels = static_cast<size_t>(spec.channels);
  const auto pixels = static_cast<size_t>(width);
  const bool planar = emitter_.order() == RowOrder::kPlanar;
  if (planar) planes_.resize(pixels * channels);
  for (int y = 0; y < height; ++y) {
    const uint8_t* line = levels.data() + static_cast<size_t>(y) * pixels * channels;
    if (planar) {
      for (size_t i = 0; i < pixels; ++i) {
        for (size_t c = 0; c < channels; ++c) planes_[c * pixels + i] = line[i * channels + c];
      }
      line = planes_.data();
    }
    emitter_.Emit(y, line);
  }
  emitter_.Close();
}

size_t LevelWriter::ScratchBytes(const ImageSpec& spec, int height, int width) {
  ImageSpec plain = spec;
  plain.jitter = {};
  return RowEmitter::ScratchBytes(plain, Everywhere(height, width)) +
         static_cast<size_t>(width) * static_cast<size_t>(spec.channels);
}

}  // namespace bucketline
