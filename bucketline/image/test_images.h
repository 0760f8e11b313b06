// For tests only: pictures, and small JPEG and PNG encoders around libjpeg and libspng.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <jpeglib.h>
#include <spng.h>

#include "bucketline/base/error.h"
#include "bucketline/base/random.h"
#include "bucketline/image/spec.h"

namespace bucketline::testing {

struct Picture {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<uint8_t> pixels;  // interleaved

  const uint8_t* At(int x, int y) const {
    return pixels.data() + (static_cast<size_t>(y) * width + x) * channels;
  }
};

// Rows of bytes as (H, W, C): what is easiest to look at.
inline ImageSpec ByteRows(int height, int width, Crop crop = Crop::kNone) {
  ImageSpec spec;
  spec.height = height;
  spec.width = width;
  spec.crop = crop;
  spec.type = PixelType::kUint8;
  spec.layout = PixelLayout::kNhwc;
  return spec;
}

// What kCorruptData says when `read` throws it; "none" when nothing is thrown.
template <typename Read>
std::string CorruptionOf(Read read) {
  try {
    read();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData);
    return error.message();
  }
  return "none";
}

// Gradients with edges and a little noise; `seed` moves them.
inline Picture MakePicture(int width, int height, int channels = 3, uint64_t seed = 1) {
  Picture picture{width, height, channels, {}};
  CounterRng rng(seed, 0, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const int edge = ((x / 9 + y / 7 + c) % 3) * 60;
        const int slope = (x * (c + 1) + y * 2) % 100;
        picture.pixels.push_back(static_cast<uint8_t>(edge + slope + static_cast<int>(rng.NextBelow(30))));
      }
    }
  }
  return picture;
}

struct JpegOptions {
  int quality = 90;
  int h_sampling = 1;  // of luma; chroma has 1
  int v_sampling = 1;
  bool progressive = false;
  int restart_blocks = 0;
  bool arithmetic = false;
  bool adobe_rgb = false;  // no colour transform
  bool ycck = false;       // four channels as YCCK
};

inline std::vector<uint8_t> EncodeJpeg(const Picture& picture, const JpegOptions& options = {}) {
  jpeg_compress_struct cinfo{};
  jpeg_error_mgr errors{};
  cinfo.err = jpeg_std_error(&errors);  // an error ends the test program
  jpeg_create_compress(&cinfo);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&cinfo, &memory, &size);
  cinfo.image_width = static_cast<JDIMENSION>(picture.width);
  cinfo.image_height = static_cast<JDIMENSION>(picture.height);
  cinfo.input_components = picture.channels;
  cinfo.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : picture.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&cinfo);
  if (options.adobe_rgb) jpeg_set_colorspace(&cinfo, JCS_RGB);
  if (options.ycck) jpeg_set_colorspace(&cinfo, JCS_YCCK);
  jpeg_set_quality(&cinfo, options.quality, TRUE);
  cinfo.comp_info[0].h_samp_factor = options.h_sampling;
  cinfo.comp_info[0].v_samp_factor = options.v_sampling;
  if (options.progressive) jpeg_simple_progression(&cinfo);
  cinfo.restart_interval = static_cast<unsigned>(options.restart_blocks);
  cinfo.arith_code = options.arithmetic ? TRUE : FALSE;
  jpeg_start_compress(&cinfo, TRUE);
  for (int y = 0; y < picture.height; ++y) {
    auto* row = const_cast<JSAMPROW>(picture.At(0, y));
    jpeg_write_scanlines(&cinfo, &row, 1);
  }
  jpeg_finish_compress(&cinfo);
  std::vector<uint8_t> bytes(memory, memory + size);
  std::free(memory);
  jpeg_destroy_compress(&cinfo);
  return bytes;
}

// `pixels` in PNG's own order for the colour type; 16-bit samples in the machine's byte order.
inline std::vector<uint8_t> EncodePng(int width, int height, int colour_type, int bit_depth,
                                      std::span<const uint8_t> pixels, bool interlaced = false,
                                      const spng_plte* palette = nullptr) {
  spng_ctx* context = spng_ctx_new(SPNG_CTX_ENCODER);
  const auto check = [context](int code) {
    if (code != 0 && code != SPNG_EOI) {
      spng_ctx_free(context);
      throw std::runtime_error(spng_strerror(code));
    }
  };
  spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1);
  spng_ihdr header{static_cast<uint32_t>(width),
                   static_cast<uint32_t>(height),
                   static_cast<uint8_t>(bit_depth),
                   static_cast<uint8_t>(colour_type),
                   0,
                   0,
                   static_cast<uint8_t>(interlaced)};
  check(spng_set_ihdr(context, &header));
  if (palette != nullptr) {
    spng_plte copy = *palette;
    check(spng_set_plte(context, &copy));
  }
  check(spng_encode_image(context, pixels.data(), pixels.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE));
  size_t size = 0;
  int code = 0;
  void* memory = spng_get_png_buffer(context, &size, &code);
  check(code);
  std::vector<uint8_t> bytes(static_cast<uint8_t*>(memory), static_cast<uint8_t*>(memory) + size);
  std::free(memory);
  spng_ctx_free(context);
  return bytes;
}

inline std::vector<uint8_t> EncodePng(const Picture& picture, bool interlaced = false) {
  constexpr std::array<int, 5> kTypes = {0, SPNG_COLOR_TYPE_GRAYSCALE, SPNG_COLOR_TYPE_GRAYSCALE_ALPHA,
                                         SPNG_COLOR_TYPE_TRUECOLOR, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
  return EncodePng(picture.width, picture.height, kTypes[static_cast<size_t>(picture.channels)], 8,
                   picture.pixels, interlaced);
}

}  // namespace bucketline::testing
