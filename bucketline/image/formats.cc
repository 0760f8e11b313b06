#include "bucketline/image/formats.h"

#include <array>

namespace bucketline {

std::span<const FormatEntry* const> Formats() {
  static constexpr std::array<const FormatEntry*, 5> kFormats = {&kJpegFormat, &kPngFormat, &kWebpFormat,
                                                                 &kGifFormat, &kBmpFormat};
  return kFormats;
}

const FormatEntry& EntryOf(ImageFormat format) { return *Formats()[static_cast<size_t>(format)]; }

const FormatEntry* FindFormat(std::span<const uint8_t> data) {
  for (const FormatEntry* entry : Formats()) {
    if (entry->matches(data)) return entry;
  }
  return nullptr;
}

}  // namespace bucketline
