// Formats: the registry of image formats. A new one is a file with a FormatEntry and a line in formats.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "bucketline/image/decoder.h"
#include "bucketline/image/pixel_reader.h"

namespace bucketline {

struct FormatEntry {
  ImageFormat format;
  // By the first bytes.
  bool (*matches)(std::span<const uint8_t> data);
  // Precondition: matches. Throws kCorruptData for a broken header.
  ImageInfo (*probe)(std::span<const uint8_t> data);
  // Upper bound on the memory of a reader and its library.
  size_t (*scratch_bytes)(const ImageInfo& info);
  std::unique_ptr<PixelReader> (*make_reader)();
};

extern const FormatEntry kJpegFormat;
extern const FormatEntry kPngFormat;
extern const FormatEntry kWebpFormat;
extern const FormatEntry kGifFormat;
extern const FormatEntry kBmpFormat;

// Indexed by ImageFormat.
std::span<const FormatEntry* const> Formats();
const FormatEntry& EntryOf(ImageFormat format);

// The format of `data`, or nullptr.
const FormatEntry* FindFormat(std::span<const uint8_t> data);

}  // namespace bucketline
