#include "bucketline/image/level_writer.h"

#include <type_traits>

#include "bucketline/image/base_levels.h"
#include "bucketline/image/crop_box.h"
#include "bucketline/image/place_row.h"

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

// Line by line of the part that is no padding, as a decode hands them over.
template <typename Level>
void LevelWriter::EmitPart(const Placement& place, bool flip, const Level* base) {
  const size_t channels = emitter_.channels();
  const auto pixels = static_cast<size_t>(place.part_width);
  const auto width = static_cast<size_t>(place.width);
  const bool planar = emitter_.order() == RowOrder::kPlanar;
  // In the base the part is not flipped, and so not where it comes to be in the row.
  const size_t left =
      flip ? width - static_cast<size_t>(place.left) - pixels : static_cast<size_t>(place.left);
  auto& turned = [this]() -> auto& {
    if constexpr (std::is_same_v<Level, float>) {
      return float_line_;
    } else {
      return planes_;
    }
  }();
  if (planar || flip) turned.resize(pixels * channels);
  for (int y = 0; y < place.part_height; ++y) {
    const Level* line = base + (static_cast<size_t>(place.top + y) * width + left) * channels;
    if (planar || flip) {
      const size_t step = planar ? 1 : channels, next = planar ? pixels : 1;
      for (size_t i = 0; i < pixels; ++i) {
        const Level* from = line + (flip ? pixels - 1 - i : i) * channels;
        for (size_t c = 0; c < channels; ++c) turned[i * step + c * next] = from[c];
      }
      line = turned.data();
    }
    emitter_.Emit(y, line);
  }
}

ImageGeometry LevelWriter::Augment(const ImageSpec& spec, const ImageSize& shown, CounterRng rng,
                                   std::span<const uint8_t> base, std::span<uint8_t> row) {
  const CropPlan plan = PlanCrop(spec, shown.width, shown.height, rng);
  const Placement place = PlaceRow(plan);
  const ImageSpec of_base = BaseOf(spec);
  RequireRow(place, of_base, base);
  RequireRow(place, spec, row);
  emitter_.Prepare(spec, FastestKernels(), place, rng, row);
  if (of_base.type == PixelType::kUint8) {
    EmitPart(place, plan.flip, base.data());
  } else {
    EmitPart(place, plan.flip, reinterpret_cast<const float*>(base.data()));
  }
  emitter_.Finish();
  emitter_.Close();
  return plan.Geometry(shown.width, shown.height);
}

size_t LevelWriter::AugmentScratchBytes(const ImageSpec& spec, int height, int width) {
  const Placement place = Everywhere(height, width);
  return RowEmitter::ScratchBytes(spec, place) +
         static_cast<size_t>(width) * static_cast<size_t>(spec.channels) * sizeof(float);
}

size_t LevelWriter::ScratchBytes(const ImageSpec& spec, int height, int width) {
  ImageSpec plain = spec;
  plain.jitter = {};
  return RowEmitter::ScratchBytes(plain, Everywhere(height, width)) +
         static_cast<size_t>(width) * static_cast<size_t>(spec.channels);
}

}  // namespace bucketline
