// Key codec: a key as what differs from the key before it, with runs of hexadecimal digits at half their
// length.
#pragma once

#include <string>
#include <string_view>

#include "bucketline/records/varint.h"

namespace bucketline {

// Appends `key`, given the key that the reader will have before it ("" for none).
//   varint  bytes shared with the start of `previous`
//   varint  bytes shared with the end of `previous`, not overlapping the former
//   runs    what is between: varint (length << 3 | kind << 1 | another run follows), then the bytes;
//           kind 0 as they are, 1 lower-case and 2 upper-case hexadecimal digits, two in a byte, high half
//           first
void AppendKey(std::string* out, std::string_view key, std::string_view previous);

// Replaces the previous key in `*key` by the next one. Throws kCorruptData.
void ReadKey(ByteReader* reader, std::string* key);

// "0" to "9" and "a" to "f" (or "A" to "F"), in pairs, to bytes. Precondition: `digits` are such; an odd last
// one fills the high half.
void AppendPackedHex(std::string* out, std::string_view digits);

// The first `count` digits that `packed` holds. Precondition: packed has (count + 1) / 2 bytes.
void AppendUnpackedHex(std::string* out, std::string_view packed, size_t count, bool upper = false);

}  // namespace bucketline
