// ShardReader: the bytes of a shard in a store, for a scanner that goes through them once.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>

#include "bucketline/base/bytes.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/records/manifest.h"
#include "bucketline/records/shard_scan.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Holds one window of the shard, of some megabytes or of what was asked for. Reads are pinned to the shard as it was
// listed. While the scanner goes on where it is, payloads are read along with the headers between them, which costs less
// time than a request for each; when it leaps over much, only what it asks for is read.
class ShardReader : public ShardBytes {
 public:
  // `shard`: the whole object. The store outlives the reader.
  ShardReader(ObjectStore& store, RecordPart shard, PinMode pin, std::stop_token stop);

  uint64_t size() const override { return shard_.object_size; }

 private:
  std::string_view Read(uint64_t offset, uint64_t length) override;
  void Load(uint64_t offset, uint64_t length);

  ObjectStore& store_;
  const RecordPart shard_;
  const PinMode pin_;
  const std::stop_token stop_;
  uint64_t first_ = 0;  // offset of the window
  Bytes window_;
};

}  // namespace bucketline
