// ETag codec: the ETags that S3 makes at half their length or less, any other as it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bucketline/records/varint.h"

namespace bucketline {

enum class EtagKind : uint8_t {
  kNone = 0,       // ""
  kMd5 = 1,        // a quoted MD5 in lower-case hexadecimal: its 16 bytes
  kMultipart = 2,  // a quoted MD5, "-" and the number of parts: 16 bytes and a varint
  kText = 3,       // anything else: a varint length and the text
};

EtagKind KindOfEtag(std::string_view etag);

// Appends `etag` as its kind says. What is read back is the same text.
void AppendEtag(std::string* out, EtagKind kind, std::string_view etag);

// An ETag as it stands in a block; making the text is put off until someone wants it.
struct PackedEtag {
  EtagKind kind = EtagKind::kNone;
  std::string_view bytes;  // the MD5 or the text; a view of what was read
  uint64_t parts = 0;      // of kMultipart

  std::string ToString() const;
};

PackedEtag ReadEtag(ByteReader* reader, EtagKind kind);

}  // namespace bucketline
