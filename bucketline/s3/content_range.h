// Content-Range: "bytes 0-9/100".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bucketline {

struct ContentRange {
  uint64_t first = 0;
  uint64_t last = 0;  // inclusive; not below `first`
  uint64_t size = 0;  // of the whole; above `last`
};

// nullopt for anything that does not give all three.
std::optional<ContentRange> ParseContentRange(std::string_view text);

}  // namespace bucketline
