// What a script says of its own failure.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

// The first 1024 characters of UTF-8.
std::string_view FailureReasonOf(std::string_view text);

// FailureReasonOf the file; "" when there is none, or nothing that can be read without waiting.
std::string ReadFailureFile(const std::string& path);

}  // namespace bucketline
