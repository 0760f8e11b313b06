#include "bucketline/serve/range_header.h"

#include <algorithm>
#include <string>

#include "bucketline/serve/request.h"
#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {

std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  const std::string_view range = header.substr(kUnit.size());
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const S3Failure unsatisfiable(
      "InvalidRange", "",
      {{"ActualObjectSize", std::to_string(size)}, {"RangeRequested", std::string(header)}});

  const std::optional<uint64_t> first = ParseNumber(range.substr(0, dash));
  const std::optional<uint64_t> last = ParseNumber(range.substr(dash + 1));
  if (dash == 0) {
    if (!last) return std::nullopt;
    const uint64_t length = std::min(*last, size);
    if (length == 0) throw unsatisfiable;
    return ByteRange{size - length, length};
  }
  const bool open = dash + 1 == range.size();
  if (!first || (!last && !open) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) throw unsatisfiable;
  const uint64_t end = open ? size - 1 : std::min(*last, size - 1);
  return ByteRange{*first, end - *first + 1};
}

}  // namespace bucketline::serve
