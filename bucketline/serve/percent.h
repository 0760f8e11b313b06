// Percent-decoding of request targets; encoding is in s3/percent_encoding.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bucketline::serve {

// nullopt when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);

}  // namespace bucketline::serve
