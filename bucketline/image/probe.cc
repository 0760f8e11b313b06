#include "bucketline/image/probe.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"

namespace bucketline {
namespace {

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
constexpr std::string_view kJpegSignature = "\xff\xd8\xff";

[[noreturn]] void Fail(const std::string& message) { throw Error(ErrorCode::kCorruptData, message); }

std::string_view AsText(std::span<const uint8_t> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

bool ContainsNoCase(std::string_view text, std::string_view lower) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), same) != text.end();
}

struct OtherFormat {
  size_t offset;
  std::string_view magic;
  std::string_view name;
};

constexpr std::array<OtherFormat, 11> kOtherFormats = {{
    {0, "GIF8", "a GIF"},
    {8, "WEBP", "a WebP"},
    {0, "BM", "a BMP"},
    {0, std::string_view("II*\0", 4), "a TIFF"},
    {0, std::string_view("MM\0*", 4), "a TIFF"},
    {4, "ftypavif", "an AVIF"},
    {4, "ftyphei", "a HEIC"},
    {0, "\xff\x0a", "a JPEG XL"},
    {0, std::string_view("\0\0\0\x0cJXL ", 8), "a JPEG XL"},
    {0, std::string_view("\0\0\0\x0cjP  ", 8), "a JPEG 2000"},
    {0, "8BPS", "a Photoshop"},
}};

bool LooksLikeText(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f : byte == '\t' || byte == '\n' || byte == '\r';
  });
}

[[noreturn]] void FailUnknown(std::span<const uint8_t> data) {
  if (data.empty()) Fail("the object is empty (0 bytes), not an image");
  const std::string_view text = AsText(data);
  for (const OtherFormat& other : kOtherFormats) {
    if (text.size() > other.offset && text.substr(other.offset).starts_with(other.magic)) {
      Fail("the object is " + std::string(other.name) +
           " image, which is not supported; convert it to JPEG or PNG");
    }
  }
  if (kPngSignature.starts_with(text) || kJpegSignature.starts_with(text)) {
    Fail("truncated image: only the first " + std::to_string(data.size()) + " bytes are there");
  }
  const std::string_view head = text.substr(0, 256);
  if (LooksLikeText(head)) {
    if (ContainsNoCase(head, "<!doctype html") || ContainsNoCase(head, "<html")) {
      Fail("the object is an HTML page, not an image; was an error or login page saved in its place?");
    }
    if (ContainsNoCase(head, "<?xml") || ContainsNoCase(head, "<error>") || ContainsNoCase(head, "<svg")) {
      Fail("the object is an XML document, not an image; was a store's error message saved in its place?");
    }
    Fail("the object looks like text, not an image; filter the dataset by file extension");
  }
  Fail("the object is neither a JPEG nor a PNG: it starts with " +
       Hex(data.first(std::min<size_t>(data.size(), 8))));
}

uint32_t BigEndian(std::span<const uint8_t> data, size_t offset, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | data[offset + static_cast<size_t>(i)];
  return value;
}

// PNG specification, 11.2.1: IHDR is the first chunk and 13 bytes long.
ImageInfo ProbePng(std::span<const uint8_t> data) {
  if (data.size() < 29) Fail("truncated PNG: the header is incomplete");
  if (BigEndian(data, 8, 4) != 13 || AsText(data).substr(12, 4) != "IHDR") {
    Fail("corrupt PNG: the first chunk is not a header");
  }
  ImageInfo info{ImageFormat::kPng};
  const uint32_t width = BigEndian(data, 16, 4);
  const uint32_t height = BigEndian(data, 20, 4);
  if (width == 0 || height == 0 || width > 0x7fffffff || height > 0x7fffffff) {
    Fail("corrupt PNG: bad width or height in the header");
  }
  info.width = static_cast<int>(width);
  info.height = static_cast<int>(height);
  switch (data[25]) {
    case 0:
      info.channels = 1;
      break;
    case 2:
    case 3:
      info.channels = 3;
      break;
    case 4:
      info.channels = 2;
      break;
    case 6:
      info.channels = 4;
      break;
    default:
      Fail("corrupt PNG: unknown colour type " + std::to_string(data[25]));
  }
  info.buffered = data[28] != 0;
  return info;
}

bool IsStartOfFrame(uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// ITU-T T.81, B.1.1.4: segments are ff, marker, two bytes of length that count themselves. Reads up to the
// first scan: one that lacks components means that others follow.
ImageInfo ProbeJpeg(std::span<const uint8_t> data) {
  ImageInfo info{ImageFormat::kJpeg};
  size_t at = 2;
  while (true) {
    while (at < data.size() && data[at] != 0xff) ++at;  // libjpeg skips garbage between segments too
    while (at < data.size() && data[at] == 0xff) ++at;
    if (at >= data.size()) Fail("truncated JPEG: the header is incomplete");
    const uint8_t marker = data[at++];
    if (marker == 0 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue;  // no length
    if (marker == 0xd9) Fail("corrupt JPEG: it ends before any image");
    if (at + 2 > data.size()) Fail("truncated JPEG: the header is incomplete");
    const uint32_t length = BigEndian(data, at, 2);
    if (length < 2) Fail("corrupt JPEG: a segment has a bad length");
    if (at + length > data.size()) Fail("truncated JPEG: the header is incomplete");
    if (IsStartOfFrame(marker)) {
      if (length < 8) Fail("corrupt JPEG: the frame header is too short");
      info.height = static_cast<int>(BigEndian(data, at + 3, 2));
      info.width = static_cast<int>(BigEndian(data, at + 5, 2));
      info.channels = data[at + 7];
      info.buffered = (marker & 3) == 2;
      if (info.width == 0 || info.height == 0 || info.channels == 0) Fail("corrupt JPEG: an empty image");
    } else if (marker == 0xda) {
      if (info.width == 0) Fail("corrupt JPEG: a scan without a frame header");
      if (length >= 3 && data[at + 2] < info.channels) info.buffered = true;
      return info;
    }
    at += length;
  }
}

}  // namespace

ImageFormat SniffFormat(std::span<const uint8_t> data) {
  const std::string_view text = AsText(data);
  if (text.starts_with(kJpegSignature)) return ImageFormat::kJpeg;
  if (text.starts_with(kPngSignature)) return ImageFormat::kPng;
  FailUnknown(data);
}

ImageInfo ProbeImage(std::span<const uint8_t> data) {
  return SniffFormat(data) == ImageFormat::kJpeg ? ProbeJpeg(data) : ProbePng(data);
}

void RequirePixelLimit(const ImageInfo& info, const ImageSpec& spec) {
  const uint64_t pixels = static_cast<uint64_t>(info.width) * static_cast<uint64_t>(info.height);
  if (pixels > spec.max_pixels) {
    throw Error(ErrorCode::kResourceExhausted,
                "the image has " + std::to_string(info.width) + " x " + std::to_string(info.height) + " = " +
                    std::to_string(pixels) + " pixels, more than max_pixels = " +
                    std::to_string(spec.max_pixels) + "; raise max_pixels if it is genuine");
  }
}

}  // namespace bucketline
