// What HTTP calls case-insensitive: ASCII letters only, whatever the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace bucketline {

constexpr char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, AsciiLower, AsciiLower);
}

}  // namespace bucketline
