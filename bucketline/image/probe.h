// Probe: what the first bytes say. No library, no allocation unless it throws.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/image/decoder.h"

namespace bucketline {

// JPEG or PNG by its signature. Throws kCorruptData saying what the bytes look like instead.
ImageFormat SniffFormat(std::span<const uint8_t> data);

// Throws kResourceExhausted when the image has more than spec.max_pixels.
void RequirePixelLimit(const ImageInfo& info, const ImageSpec& spec);

}  // namespace bucketline
