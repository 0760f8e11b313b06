#include "bucketline/image/probe.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/image/byte_reading.h"
#include "bucketline/image/formats.h"

namespace bucketline {
namespace {

// What a file of fewer bytes than its signature may have begun to be.
constexpr std::array<std::string_view, 4> kSignatures = {"\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF8", "RIFF"};

bool ContainsNoCase(std::string_view text, std::string_view lower) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(), same) != text.end();
}

struct OtherFormat {
  size_t offset;
  std::string_view magic;
  std::string_view name;
};

constexpr std::array<OtherFormat, 8> kOtherFormats = {{
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
  if (data.empty()) FailCorrupt("the object is empty (0 bytes), not an image");
  const std::string_view text = AsText(data);
  for (const OtherFormat& other : kOtherFormats) {
    if (text.size() > other.offset && text.substr(other.offset).starts_with(other.magic)) {
      FailCorrupt("the object is " + std::string(other.name) +
                  " image, which is not supported; convert it to JPEG or PNG");
    }
  }
  for (const std::string_view signature : kSignatures) {
    if (signature.starts_with(text)) {
      FailCorrupt("truncated image: only the first " + std::to_string(data.size()) + " bytes are there");
    }
  }
  const std::string_view head = text.substr(0, 256);
  if (LooksLikeText(head)) {
    if (ContainsNoCase(head, "<!doctype html") || ContainsNoCase(head, "<html")) {
      FailCorrupt("the object is an HTML page, not an image; was an error or login page saved in its place?");
    }
    if (ContainsNoCase(head, "<?xml") || ContainsNoCase(head, "<error>") || ContainsNoCase(head, "<svg")) {
      FailCorrupt(
          "the object is an XML document, not an image; was a store's error message saved in its place?");
    }
    FailCorrupt("the object looks like text, not an image; filter the dataset by file extension");
  }
  FailCorrupt("the object is no JPEG, PNG, WebP, GIF or BMP: it starts with " +
              Hex(data.first(std::min<size_t>(data.size(), 8))));
}

}  // namespace

ImageFormat SniffFormat(std::span<const uint8_t> data) {
  const FormatEntry* entry = FindFormat(data);
  if (entry == nullptr) FailUnknown(data);
  return entry->format;
}

ImageInfo ProbeImage(std::span<const uint8_t> data) { return EntryOf(SniffFormat(data)).probe(data); }

void RequireLimits(const ImageInfo& info, const ImageSpec& spec) {
  const auto size = [&info] {  // no string unless it is needed
    return "the image has " + std::to_string(info.width) + " x " + std::to_string(info.height);
  };
  const uint64_t pixels = static_cast<uint64_t>(info.width) * static_cast<uint64_t>(info.height);
  if (pixels > spec.max_pixels) {
    throw Error(ErrorCode::kResourceExhausted,
                size() + " = " + std::to_string(pixels) + " pixels, more than max_pixels = " +
                    std::to_string(spec.max_pixels) + "; raise max_pixels if it is genuine");
  }
  if (std::max(info.width, info.height) > spec.max_side) {
    throw Error(ErrorCode::kResourceExhausted,
                size() + " pixels, more than max_side = " + std::to_string(spec.max_side) +
                    " on a side; raise max_side if it is genuine");
  }
}

}  // namespace bucketline
