// JpegHeader: what the segments before the first scan say, without libjpeg.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/image/decoder.h"

namespace bucketline {

// Throws kCorruptData for a header that is broken or cut off.
ImageInfo ProbeJpeg(std::span<const uint8_t> data);

}  // namespace bucketline
