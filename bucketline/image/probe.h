// Probe: what the first bytes say. No library, no allocation unless it throws.
#pragma once

#include <cstdint>
#include <span>

#include "bucketline/image/decoder.h"

namespace bucketline {

// The format by its signature. Throws kCorruptData saying what the bytes look like instead.
ImageFormat SniffFormat(std::span<const uint8_t> data);

// Throws kResourceExhausted when the image exceeds spec.max_pixels or spec.max_side.
void RequireLimits(const ImageInfo& info, const ImageSpec& spec);

}  // namespace bucketline
