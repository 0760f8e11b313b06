// Decoder: bytes of an image -> pixels in a row of a batch, by an ImageSpec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "bucketline/base/random.h"
#include "bucketline/image/spec.h"

namespace bucketline {

enum class ImageFormat { kJpeg, kPng, kWebp, kGif, kBmp };

struct ImageInfo {
  ImageFormat format;
  int width = 0;
  int height = 0;
  int channels = 0;       // as stored: 1 grey, 2 grey+alpha, 3 (a palette too), 4
  bool buffered = false;  // progressive JPEG, interlaced PNG or GIF, WebP: a decode holds all its pixels
  int orientation = 1;    // EXIF's, 1 to 8; 1 without one
};

// Height and width of the row when the spec has none: those of the image, as it is shown if spec.orient.
struct ImageSize {
  int height = 0;
  int width = 0;
};
ImageSize OwnSize(const ImageInfo& info, const ImageSpec& spec);

// What one decode did to the geometry: the box of the image (as shown, if spec.orient) that became the row. With
// padding it is larger than the image.
struct ImageGeometry {
  int source_width = 0;
  int source_height = 0;
  double box_left = 0;  // in source pixels, may be fractional
  double box_top = 0;
  double box_width = 0;
  double box_height = 0;
  bool flipped = false;
  bool truncated = false;  // data was missing, and the spec said to keep what is there
};

// Reads the header only: JPEG, PNG, WebP, GIF or BMP, by the first bytes. Throws kCorruptData: none of these
// (says what it looks like: empty, HTML, XML, text, TIFF, ...), or a broken header.
ImageInfo ProbeImage(std::span<const uint8_t> data);

// Holds the scratch memory and library handles of one thread, reused from image to image: in steady state
// nothing is allocated here (the format libraries still take their per-image memory from malloc). Buffers
// above 4 MiB are given back after each image. Not thread-safe; one per thread. Pure: the row depends on
// (data, spec, rng) alone, on every CPU.
class ImageDecoder {
 public:
  ImageDecoder();
  ~ImageDecoder();
  ImageDecoder(ImageDecoder&&) noexcept;
  ImageDecoder& operator=(ImageDecoder&&) noexcept;

  // Bytes of scratch that DecodeInto needs at most for an image of these dimensions, beyond `data` and the row.
  static size_t ScratchBytes(const ImageInfo& info, const ImageSpec& spec);

  // Fills `row` (spec.RowBytes(), or with height == width == 0 OwnSize times channels and value size). `rng`
  // gives the flip (its first draw), the crop box (see crop_box.h) and, in a stream of their own, the factors
  // of jitter. Throws kCorruptData for undecodable or truncated bytes, kResourceExhausted above max_pixels,
  // max_side or max_memory, kInvalidArgument when `row` has another size or the box leaves the image. After an error the row's content is unspecified and the
  // decoder is usable.
  ImageGeometry DecodeInto(std::span<const uint8_t> data, const ImageSpec& spec, CounterRng rng,
                           std::span<uint8_t> row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
