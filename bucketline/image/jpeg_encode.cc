#include "bucketline/image/jpeg_encode.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <jpeglib.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

void Check(std::span<const uint8_t> pixels, int width, int height, int channels, int quality) {
  const auto fits = [](int value, int low, int high) { return low <= value && value <= high; };
  const bool sides = fits(width, 1, kLargestJpegSide) && fits(height, 1, kLargestJpegSide);
  if (sides && (channels == 1 || channels == 3) && fits(quality, 1, 100) &&
      pixels.size() ==
          static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels)) {
    return;
  }
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("no JPEG has {} x {} pixels of {} channels in {} bytes at quality {}", width,
                          height, channels, pixels.size(), quality));
}

}  // namespace

std::vector<uint8_t> EncodeJpeg(std::span<const uint8_t> pixels, int width, int height, int channels,
                                int quality) {
  Check(pixels, width, height, channels, quality);
  jpeg_compress_struct encoder;
  jpeg_error_mgr errors;  // its error_exit ends the process: only running out of memory gets there
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* memory = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&encoder, &memory, &bytes);
  encoder.image_width = static_cast<JDIMENSION>(width);
  encoder.image_height = static_cast<JDIMENSION>(height);
  encoder.input_components = channels;
  encoder.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, quality, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  const size_t row_bytes = static_cast<size_t>(width) * static_cast<size_t>(channels);
  while (encoder.next_scanline < encoder.image_height) {
    auto* row = const_cast<uint8_t*>(pixels.data() + size_t{encoder.next_scanline} * row_bytes);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  std::vector<uint8_t> jpeg(memory, memory + bytes);
  std::free(memory);
  jpeg_destroy_compress(&encoder);
  return jpeg;
}

}  // namespace bucketline
