// Label codec: a LabelColumn as bytes, the section at the end of a manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bucketline/records/manifest.h"

namespace bucketline {

// Throws kInvalidArgument when the column does not have one label for each of `records`, or names a class
// that it has not.
void CheckLabels(const LabelColumn& labels, uint64_t records);

// Precondition: CheckLabels passes.
//   byte    LabelKind, and 0x80 with the kVector that has classes
//   classes of kClass and such a kVector: varint number of them, each as varint length and text
//   kClass  byte w (1, 2 or 4), then w bytes a record
//   kInteger  byte w (1, 2, 4 or 8), then w bytes a record, two's complement
//   kFloat, kVector  varint width, then 4 bytes a value, IEEE 754
// All little-endian.
std::string EncodeLabels(const LabelColumn& labels);

// Throws kCorruptData.
LabelColumn DecodeLabels(std::string_view bytes, uint64_t records);

}  // namespace bucketline
