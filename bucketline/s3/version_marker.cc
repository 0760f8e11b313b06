#include "bucketline/s3/version_marker.h"

#include <algorithm>

#include "bucketline/s3/percent_encoding.h"

namespace bucketline {

// Neither half has a "?" once it is encoded.
std::string TokenOf(const VersionMarker& marker) {
  return EncodeQueryComponent(marker.key) + "?" + EncodeQueryComponent(marker.version);
}

VersionMarker MarkerOf(std::string_view token) {
  const size_t middle = std::min(token.find('?'), token.size());
  return {.key = UnquotePlus(token.substr(0, middle)),
          .version = UnquotePlus(token.substr(std::min(middle + 1, token.size())))};
}

}  // namespace bucketline
