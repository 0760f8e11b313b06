// The floor under every JPEG pipeline: libjpeg-turbo's own crop decode, called directly.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/image/spec.h"

namespace bucketline {

// Decodes the rows and columns of `box` (clipped to the image) to RGB with libjpeg-turbo's crop and skip
// calls, accurate DCT and fancy upsampling, and throws the pixels away. One thread reuses one decoder. Throws
// kCorruptData.
class JpegFloor {
 public:
  JpegFloor();
  ~JpegFloor();
  JpegFloor(const JpegFloor&) = delete;
  JpegFloor& operator=(const JpegFloor&) = delete;

  void DecodeBox(std::span<const uint8_t> data, PixelBox box);

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace bucketline
