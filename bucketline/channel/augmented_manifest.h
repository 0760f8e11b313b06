// AugmentedManifest: JSON lines, each a sample whose attributes are values or references to objects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/channel/text_pool.h"

namespace bucketline {

// The attributes that were asked for, line after line, in the order in which they were asked for.
struct AugmentedManifest {
  // What one attribute is: a text of `values`, or a URI of `references`.
  struct Attribute {
    uint32_t number : 31 = 0;
    uint32_t is_reference : 1 = 0;
  };
  std::vector<Attribute> attributes;
  TextPool values;
  TextPool references;
  std::vector<uint32_t> reference_lines;  // of each reference, from 1
};

// Of each line's fields those in `names`. A field whose name ends in "-ref" is a reference and must be text. Other text is
// its own value; numbers, true and false are as JSON writes them; lists and objects are compact JSON.
// Throws kInvalidArgument naming the line and the field: no JSON object, a field that is not there or null, a reference
// that is not text; and no line at all. kUnsupported for more than 2^31 values.
AugmentedManifest ParseAugmentedManifest(std::string_view text, const std::vector<std::string>& names);

}  // namespace bucketline
