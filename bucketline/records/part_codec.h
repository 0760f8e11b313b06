// Part codec: where the bytes of a record's part are. A raw object, the whole object under the record's own
// key, costs a byte, its size and its ETag; consecutive members of one shard name the shard once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bucketline/records/etag_codec.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/varint.h"

namespace bucketline {

// Throws kInvalidArgument when the range is not inside the object.
void CheckRange(const RecordPart& part);

// Writes one part of consecutive records. A value.
//   byte    bit 0 the whole object, bit 1 the record's own key, bit 2 the object of the record before,
//           bits 3 and 4 the EtagKind (0 with bit 2), bit 5 a version (not with bit 2), bit 6 a checksum, bit 7 zero
//   key     as AppendKey after the key written last; not with bits 1 and 2
//   varints object size (not with bit 2), then offset and length (not with bit 0)
//   4 bytes CRC32C, little-endian; with bit 6
//   ETag    as AppendEtag; not with bit 2
//   version as AppendSized; with bit 5
class PartEncoder {
 public:
  void Append(std::string* out, const RecordPart& part, std::string_view record_key);

 private:
  RecordPart shared_;       // the last part under another key than its record's
  bool may_share_ = false;  // shared_ is of the record before
};

// Reads them back, in the same order. A value; holds views of what it reads.
class PartDecoder {
 public:
  // Throws kCorruptData.
  void Next(ByteReader* reader);

  uint64_t length() const { return length_; }
  RecordPart Part(std::string_view record_key) const;

 private:
  std::string object_key_;
  bool own_key_ = true;
  uint64_t offset_ = 0;
  uint64_t length_ = 0;
  uint64_t object_size_ = 0;
  PackedEtag etag_;
  std::string_view version_;
  std::optional<uint32_t> crc32c_;
};

}  // namespace bucketline
