// GifHeader: what stands before the first frame's pixels, without giflib.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/image/decoder.h"

namespace bucketline {

struct GifHeader {
  int width = 0;  // of the screen, widened where the first frame leaves it
  int height = 0;
  int frame_left = 0;
  int frame_top = 0;
  int frame_width = 0;
  int frame_height = 0;
  bool interlaced = false;
  int transparent = -1;  // colour number; -1: none
};

// Throws kCorruptData for a header that is broken or cut off, and where no frame is found.
GifHeader ReadGifHeader(std::span<const uint8_t> data);

}  // namespace bucketline
