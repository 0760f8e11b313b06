// ManifestFile: the JSON list by which a channel names its objects.
#pragma once

#include <string>
#include <string_view>

#include "bucketline/channel/text_pool.h"

namespace bucketline {

// [{"prefix": "s3://bucket/some/prefix/"}, "relative/a", ...]: each object's URI is the prefix and a suffix, put together
// as they are, with nothing between.
struct ManifestFile {
  std::string prefix;
  TextPool suffixes;  // at least one
};

// Throws kInvalidArgument naming the line or the element: text that is not such a list, no prefix or an empty one, no
// suffix, something else among the elements.
ManifestFile ParseManifestFile(std::string_view text);

}  // namespace bucketline
