// LevelWriter: levels that somebody else had in hand -> values of the batch's row, as a decode writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bucketline/base/random.h"
#include "bucketline/image/decoder.h"
#include "bucketline/image/emit_row.h"
#include "bucketline/image/spec.h"

namespace bucketline {

// The spec that decodes to what Write takes: bytes (H, W, C), cropped, resized, flipped and jittered, not
// normalised. Where `spec` has the TensorFlow family and floats, its levels are rounded to nearest (halves up).
ImageSpec LevelsOf(const ImageSpec& spec);

// Not thread-safe; keeps its scratch from row to row.
class LevelWriter {
 public:
  // Normalises, converts and lays out `levels`: height * width * spec.channels bytes (H, W, C). With the levels
  // that LevelsOf(spec) decodes to, `row` has the bytes that a decode with `spec` writes: for the Pillow family
  // always, for TensorFlow's when spec.type is kUint8.
  void Write(const ImageSpec& spec, int height, int width, std::span<const uint8_t> levels,
             std::span<uint8_t> row);

  static size_t ScratchBytes(const ImageSpec& spec, int height, int width);

  // Flips, jitters, normalises and lays out `base`, what BaseOf(spec) decodes an image to that has this size as shown: `row`
  // and the geometry (but `truncated`) are those of DecodeInto(image, spec, rng, row), bit for bit. Throws kInvalidArgument
  // when `base` or `row` is of another size. Precondition: HasBase(spec).
  ImageGeometry Augment(const ImageSpec& spec, const ImageSize& shown, CounterRng rng,
                        std::span<const uint8_t> base, std::span<uint8_t> row);

  // For a row of this size.
  static size_t AugmentScratchBytes(const ImageSpec& spec, int height, int width);

 private:
  template <typename Level>
  void EmitPart(const Placement& place, bool flip, const Level* base);

  RowEmitter emitter_;
  std::vector<uint8_t> planes_;  // of one line
  std::vector<float> float_line_;
};

}  // namespace bucketline
