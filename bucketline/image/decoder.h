// Decoder: bytes of a JPEG or PNG -> pixels in a row of a batch, by an ImageSpec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "bucketline/base/random.h"
#include "bucketline/image/spec.h"

namespace bucketline {

enum class ImageFormat { kJpeg, kPng };

struct ImageInfo {
  ImageFormat format;
  int width = 0;
  int height = 0;
  int channels = 0;       // as stored: 1 grey, 2 grey+alpha, 3 (a palette too), 4
  bool buffered = false;  // progressive JPEG or interlaced PNG: no row is final before the last byte is read
};

// What one decode did to the geometry: the box of the source that became the row.
struct ImageGeometry {
  int source_width = 0;
  int source_height = 0;
  double box_left = 0;  // in source pixels, may be fractional
  double box_top = 0;
  double box_width = 0;
  double box_height = 0;
  bool flipped = false;
};

// Reads the header only. Throws kCorruptData: not a JPEG or PNG (says what it looks like: empty, HTML, XML,
// text, GIF, ...), or a broken header.
ImageInfo ProbeImage(std::span<const uint8_t> data);

// Holds the scratch memory and library handles of one thread, reused from image to image: in steady state
// nothing is allocated here (libjpeg and libspng still take their small per-image pools from malloc). Buffers
// above 4 MiB are given back after each image. Not thread-safe; one per thread. Pure: the row depends on
// (data, spec, rng) alone, on every CPU.
class ImageDecoder {
 public:
  ImageDecoder();
  ~ImageDecoder();
  ImageDecoder(ImageDecoder&&) noexcept;
  ImageDecoder& operator=(ImageDecoder&&) noexcept;

  // Bytes of scratch that DecodeInto needs for an image of these dimensions, beyond `data` and the row.
  static size_t ScratchBytes(const ImageInfo& info, const ImageSpec& spec);

  // Fills `row` (spec.RowBytes(), or with height == width == 0 the image's own size times channels and value
  // size). `rng` gives the flip (its first draw) and the crop box (see crop_box.h). Throws kCorruptData for
  // undecodable or truncated bytes, kResourceExhausted above max_pixels (before any large allocation),
  // kInvalidArgument when `row` has another size. After an error the row's content is unspecified and the
  // decoder is usable.
  ImageGeometry DecodeInto(std::span<const uint8_t> data, const ImageSpec& spec, CounterRng rng,
                           std::span<uint8_t> row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
