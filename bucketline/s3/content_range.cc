#include "bucketline/s3/content_range.h"

#include <charconv>

namespace bucketline {
namespace {

// Takes digits and the separator after them ('\0': the end of the text).
bool Take(std::string_view& text, uint64_t& number, char separator) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(end - text.data());
  if (separator == '\0') return text.empty();
  if (!text.starts_with(separator)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<ContentRange> ParseContentRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  ContentRange range;
  if (!Take(text, range.first, '-') || !Take(text, range.last, '/') || !Take(text, range.size, '\0'))
    return std::nullopt;
  if (range.last < range.first || range.size <= range.last) return std::nullopt;
  return range;
}

}  // namespace bucketline
