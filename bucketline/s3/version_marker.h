// VersionMarker: where a listing of versions goes on, as the one token that a ListPage has room for.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

struct VersionMarker {
  std::string key;
  std::string version = {};  // "": after all versions of the key
};

// Opaque ASCII. MarkerOf(TokenOf(marker)) is the marker.
std::string TokenOf(const VersionMarker& marker);
VersionMarker MarkerOf(std::string_view token);

}  // namespace bucketline
