#include "bucketline/image/jpeg_header.h"

#include "bucketline/image/byte_reading.h"
#include "bucketline/image/exif.h"

namespace bucketline {
namespace {

bool IsStartOfFrame(uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

}  // namespace

// ITU-T T.81, B.1.1.4: segments are ff, marker, two bytes of length that count themselves. Reads up to the
// first scan: one that lacks components means that others follow.
ImageInfo ProbeJpeg(std::span<const uint8_t> data) {
  ImageInfo info{ImageFormat::kJpeg};
  size_t at = 2;
  bool exif = false;
  while (true) {
    while (at < data.size() && data[at] != 0xff) ++at;  // libjpeg skips garbage between segments too
    while (at < data.size() && data[at] == 0xff) ++at;
    if (at >= data.size()) FailCorrupt("truncated JPEG: the header is incomplete");
    const uint8_t marker = data[at++];
    if (marker == 0 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;  // no length
    if (marker == 0xd9) FailCorrupt("corrupt JPEG: it ends before any image");
    if (at + 2 > data.size()) FailCorrupt("truncated JPEG: the header is incomplete");
    const uint32_t length = BigEndian(data, at, 2);
    if (length < 2) FailCorrupt("corrupt JPEG: a segment has a bad length");
    if (at + length > data.size()) FailCorrupt("truncated JPEG: the header is incomplete");
    if (marker == 0xe1 && !exif && AsText(data).substr(at + 2, 4) == "Exif") {
      exif = true;
      info.orientation = ExifOrientation(data.subspan(at + 2, length - 2));
    }
    if (IsStartOfFrame(marker)) {
      if (length < 8) FailCorrupt("corrupt JPEG: the frame header is too short");
      info.height = static_cast<int>(BigEndian(data, at + 3, 2));
      info.width = static_cast<int>(BigEndian(data, at + 5, 2));
      info.channels = data[at + 7];
      info.buffered = (marker & 3) == 2;
      if (info.width == 0 || info.height == 0 || info.channels == 0)
        FailCorrupt("corrupt JPEG: an empty image");
    } else if (marker == 0xda) {
      if (info.width == 0) FailCorrupt("corrupt JPEG: a scan without a frame header");
      if (length >= 3 && data[at + 2] < info.channels) info.buffered = true;
      return info;
    }
    at += length;
  }
}

}  // namespace bucketline
