#include "bucketline/image/gif_header.h"

#include <algorithm>

#include "bucketline/image/byte_reading.h"

namespace bucketline {
namespace {

constexpr uint8_t kExtension = 0x21;
constexpr uint8_t kGraphicControl = 0xf9;
constexpr uint8_t kImage = 0x2c;

size_t ColourTableBytes(uint8_t flags) { return (flags & 0x80) != 0 ? size_t{3} << ((flags & 7) + 1) : 0; }

void Require(std::span<const uint8_t> data, size_t bytes) {
  if (data.size() < bytes) FailCorrupt("truncated GIF: the header is incomplete");
}

// An extension's blocks: a byte of length and so many bytes each, until a length of 0.
size_t SkipBlocks(std::span<const uint8_t> data, size_t at) {
  for (;;) {
    Require(data, at + 1);
    const size_t length = data[at];
    at += 1 + length;
    if (length == 0) return at;
  }
}

}  // namespace

// GIF89a specification, sections 17 to 23.
GifHeader ReadGifHeader(std::span<const uint8_t> data) {
  Require(data, 13);
  GifHeader header;
  header.width = static_cast<int>(LittleEndian(data, 6, 2));
  header.height = static_cast<int>(LittleEndian(data, 8, 2));
  size_t at = 13 + ColourTableBytes(data[10]);
  for (;;) {
    Require(data, at + 1);
    const uint8_t kind = data[at++];
    if (kind == kExtension) {
      Require(data, at + 1);
      const uint8_t label = data[at++];
      if (label == kGraphicControl && at + 5 <= data.size() && data[at] == 4) {
        header.transparent = (data[at + 1] & 1) != 0 ? data[at + 4] : -1;
      }
      at = SkipBlocks(data, at);
    } else if (kind == kImage) {
      Require(data, at + 9);
      header.frame_left = static_cast<int>(LittleEndian(data, at, 2));
      header.frame_top = static_cast<int>(LittleEndian(data, at + 2, 2));
      header.frame_width = static_cast<int>(LittleEndian(data, at + 4, 2));
      header.frame_height = static_cast<int>(LittleEndian(data, at + 6, 2));
      header.interlaced = (data[at + 8] & 0x40) != 0;
      break;
    } else {
      FailCorrupt("corrupt GIF: it ends before any image");
    }
  }
  header.width = std::max(header.width, header.frame_left + header.frame_width);
  header.height = std::max(header.height, header.frame_top + header.frame_height);
  if (header.frame_width == 0 || header.frame_height == 0) FailCorrupt("corrupt GIF: an empty image");
  return header;
}

}  // namespace bucketline
