#include "bucketline/image/exif.h"

#include "bucketline/image/byte_reading.h"

namespace bucketline {
namespace {

constexpr std::string_view kPrefix("Exif\0\0", 6);
constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;  // 16 bits

}  // namespace

// TIFF 6.0, section 2: byte order, 42, the offset of the first directory; a directory is a count and entries
// of twelve bytes: tag, type, count, value.
int ExifOrientation(std::span<const uint8_t> data) {
  if (AsText(data).starts_with(kPrefix)) data = data.subspan(kPrefix.size());
  const std::string_view order = AsText(data).substr(0, 2);
  if (data.size() < 8 || (order != "II" && order != "MM")) return 1;
  const auto number = [&](size_t offset, int bytes) {
    return order == "II" ? LittleEndian(data, offset, bytes) : BigEndian(data, offset, bytes);
  };
  if (number(2, 2) != 42) return 1;
  const size_t directory = number(4, 4);
  if (directory > data.size() - 2) return 1;
  const uint32_t entries = number(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + size_t{12} * i;
    if (entry + 12 > data.size()) return 1;
    if (number(entry, 2) != kOrientationTag) continue;
    const uint32_t value = number(entry + 8, 2);
    return number(entry + 2, 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace bucketline
