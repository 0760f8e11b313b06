// Block codec: some tens of consecutive records in few bytes; the unit that a manifest checks and decodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/part_codec.h"

namespace bucketline {

// Writes blocks, one after another: a varint size of the keys, the keys (AppendKey), then record by record
// the parts (PartEncoder, one for each part name). A block can be read without any other.
class BlockEncoder {
 public:
  explicit BlockEncoder(size_t parts);

  // Precondition: record.parts.size() is the number of parts.
  void Add(const Record& record);

  size_t records() const { return records_; }

  // The block of the records added since the last call.
  std::string Finish();

 private:
  size_t records_ = 0;
  std::string previous_key_;
  std::string keys_;
  std::string bodies_;
  std::vector<PartEncoder> encoders_;
};

// Reads one. Every call throws kCorruptData when the block is not what an encoder wrote; `block` must live
// on.
class BlockDecoder {
 public:
  BlockDecoder(std::string_view block, size_t parts);

  // `index` counts from 0 in the block.
  std::string Key(size_t index) const;
  uint64_t RecordBytes(size_t index) const;  // of all parts; throws kCorruptData when the sum overflows
  Record At(size_t index) const;

  // The first `count` records.
  std::vector<Record> First(size_t count) const;

 private:
  std::string_view keys_;
  std::string_view bodies_;
  size_t parts_;
};

// The sum of the parts' lengths; throws `code` when it has more than 64 bits.
uint64_t AddLength(uint64_t sum, uint64_t length, ErrorCode code);

}  // namespace bucketline
