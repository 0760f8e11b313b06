// Exif: the orientation that a camera noted.
#pragma once

#include <cstdint>
#include <span>

namespace bucketline {

// `data` is a TIFF structure, with or without "Exif\0\0" before it. 1 to 8; 1 where there is none or where it
// makes no sense.
int ExifOrientation(std::span<const uint8_t> data);

}  // namespace bucketline
