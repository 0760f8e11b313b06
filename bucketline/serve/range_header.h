// The Range header of a GET.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bucketline::serve {

struct ByteRange {
  uint64_t offset;
  uint64_t length;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// "bytes=first-last", "bytes=first-" or "bytes=-suffix" on an object of `size` bytes, cut at its end.
// nullopt for what RFC 9110 lets a server ignore, as S3 does: other units, several ranges, malformed text.
// Throws S3Failure InvalidRange when no byte of the object is in the range.
std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size);

}  // namespace bucketline::serve
