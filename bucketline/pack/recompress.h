// Recompress: an image smaller, as a JPEG.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bucketline/image/decoder.h"

namespace bucketline {

struct RecompressRule {
  int short_side = 0;  // pixels, above 0
  int quality = 90;
};

// One image, looked at. A value; `data` outlives it.
class Recompression {
 public:
  // Reads the header. Throws kCorruptData for what is no image.
  Recompression(std::span<const uint8_t> data, const RecompressRule& rule);

  // A JPEG whose short side is no larger than the rule's stays as it is.
  bool needed() const { return needed_; }

  // Bytes that Run takes at most, beside `data` and its result.
  uint64_t memory() const;

  // The image as it is shown, in the colours that it has; bilinear with antialiasing. Throws as ImageDecoder does, and
  // kInvalidArgument for sides that no JPEG has.
  std::vector<uint8_t> Run(ImageDecoder& decoder) const;

 private:
  std::span<const uint8_t> data_;
  RecompressRule rule_;
  ImageInfo info_;
  ImageSpec spec_;
  bool needed_ = true;
};

}  // namespace bucketline
