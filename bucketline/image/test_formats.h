// For tests only: small WebP, GIF and BMP encoders, and a way to put an EXIF orientation into a PNG or JPEG.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gif_lib.h>
#include <webp/encode.h>

#include "bucketline/image/test_images.h"

namespace bucketline::testing {

inline std::vector<uint8_t> EncodeWebp(const Picture& picture, bool lossless = true) {
  uint8_t* memory = nullptr;
  const int stride = picture.width * 3;
  const size_t size =
      lossless ? WebPEncodeLosslessRGB(picture.pixels.data(), picture.width, picture.height, stride, &memory)
               : WebPEncodeRGB(picture.pixels.data(), picture.width, picture.height, stride, 80, &memory);
  std::vector<uint8_t> bytes(memory, memory + size);
  WebPFree(memory);
  return bytes;
}

struct GifOptions {
  bool interlaced = false;
  int left = 0;  // of the frame on a screen of the picture's size plus these
  int top = 0;
  int transparent = -1;
};

// `indices` are colour numbers below `palette.size()`, a power of two.
inline std::vector<uint8_t> EncodeGif(int width, int height, const std::vector<uint8_t>& indices,
                                      const std::vector<GifColorType>& palette,
                                      const GifOptions& options = {}) {
  std::vector<uint8_t> bytes;
  const auto write = [](GifFileType* file, const GifByteType* data, int size) {
    auto* out = static_cast<std::vector<uint8_t>*>(file->UserData);
    out->insert(out->end(), data, data + size);
    return size;
  };
  int code = 0;
  GifFileType* file = EGifOpen(&bytes, write, &code);
  ColorMapObject* map = GifMakeMapObject(static_cast<int>(palette.size()), palette.data());
  EGifSetGifVersion(file, true);
  EGifPutScreenDesc(file, width + options.left, height + options.top, 8, 0, map);
  if (options.transparent >= 0) {
    const GraphicsControlBlock control{DISPOSAL_UNSPECIFIED, false, 0, options.transparent};
    GifByteType extension[4];
    EGifGCBToExtension(&control, extension);
    EGifPutExtension(file, GRAPHICS_EXT_FUNC_CODE, 4, extension);
  }
  EGifPutImageDesc(file, options.left, options.top, width, height, options.interlaced, nullptr);
  std::vector<int> lines;
  const int passes[4][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
  for (const auto& pass : passes) {
    for (int y = pass[0]; options.interlaced && y < height; y += pass[1]) lines.push_back(y);
  }
  for (int y = 0; !options.interlaced && y < height; ++y) lines.push_back(y);
  for (const int y : lines) {
    std::vector<GifPixelType> line(indices.begin() + y * width, indices.begin() + (y + 1) * width);
    EGifPutLine(file, line.data(), width);
  }
  GifFreeMapObject(map);
  EGifCloseFile(file, &code);
  return bytes;
}

inline void AppendLittle(std::vector<uint8_t>* out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

// 24 or 32 bits a pixel; of 32 the fourth byte is noise.
inline std::vector<uint8_t> EncodeBmp(const Picture& picture, int bits = 24, bool top_down = false) {
  const auto stride = static_cast<size_t>((picture.width * bits + 31) / 32 * 4);
  std::vector<uint8_t> out = {'B', 'M'};
  AppendLittle(&out, static_cast<uint32_t>(54 + stride * static_cast<size_t>(picture.height)), 4);
  AppendLittle(&out, 0, 4);
  AppendLittle(&out, 54, 4);
  AppendLittle(&out, 40, 4);
  AppendLittle(&out, static_cast<uint32_t>(picture.width), 4);
  AppendLittle(&out, static_cast<uint32_t>(top_down ? -picture.height : picture.height), 4);
  AppendLittle(&out, 1, 2);
  AppendLittle(&out, static_cast<uint32_t>(bits), 2);
  for (int i = 0; i < 6; ++i) AppendLittle(&out, 0, 4);
  for (int line = 0; line < picture.height; ++line) {
    const int y = top_down ? line : picture.height - 1 - line;
    const size_t begin = out.size();
    for (int x = 0; x < picture.width; ++x) {
      const uint8_t* pixel = picture.At(x, y);
      out.insert(out.end(), {pixel[2], pixel[1], pixel[0]});
      if (bits == 32) out.push_back(static_cast<uint8_t>(x));
    }
    out.resize(begin + stride, 0xee);
  }
  return out;
}

// A TIFF structure with nothing but the orientation.
inline std::vector<uint8_t> ExifBlock(int orientation, bool big_endian = false) {
  const auto value = static_cast<uint8_t>(orientation);
  if (big_endian) {
    return {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0};
  }
  return {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0};
}

inline std::vector<uint8_t> WithPngOrientation(std::vector<uint8_t> png, int orientation) {
  const std::vector<uint8_t> exif = ExifBlock(orientation);
  std::vector<uint8_t> chunk = {0, 0, 0, static_cast<uint8_t>(exif.size()), 'e', 'X', 'I', 'f'};
  chunk.insert(chunk.end(), exif.begin(), exif.end());
  chunk.insert(chunk.end(), 4, 0);  // nobody looks at its checksum
  png.insert(png.begin() + 33, chunk.begin(), chunk.end());
  return png;
}

inline std::vector<uint8_t> WithJpegOrientation(std::vector<uint8_t> jpeg, int orientation) {
  const std::vector<uint8_t> exif = ExifBlock(orientation, true);
  std::vector<uint8_t> segment = {0xff, 0xe1, 0, static_cast<uint8_t>(exif.size() + 8), 'E', 'x', 'i',
                                  'f',  0,    0};
  segment.insert(segment.end(), exif.begin(), exif.end());
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  return jpeg;
}

// The picture as a viewer that obeys the orientation shows it.
inline Picture Turned(const Picture& in, int orientation) {
  const bool transposed = orientation >= 5;
  Picture out{transposed ? in.height : in.width, transposed ? in.width : in.height, in.channels, {}};
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      int s = transposed ? y : x, t = transposed ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) s = in.width - 1 - s;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) t = in.height - 1 - t;
      out.pixels.insert(out.pixels.end(), in.At(s, t), in.At(s, t) + in.channels);
    }
  }
  return out;
}

}  // namespace bucketline::testing
