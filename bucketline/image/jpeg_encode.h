// EncodeJpeg: pixels to a baseline JPEG.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bucketline {

inline constexpr int kLargestJpegSide = 65'500;

// `pixels` are height rows of width interleaved pixels; channels is 1 (grey) or 3 (RGB, whose colours are stored at half the
// resolution, as libjpeg-turbo does by itself). quality is libjpeg's, 1 to 100. The same pixels give the same bytes with the
// same version of libjpeg-turbo. Throws kInvalidArgument: another number of channels or of pixels, a quality outside, a side
// of 0 or above kLargestJpegSide.
std::vector<uint8_t> EncodeJpeg(std::span<const uint8_t> pixels, int width, int height, int channels,
                                int quality);

}  // namespace bucketline
