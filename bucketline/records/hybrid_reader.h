// Hybrid reader: small integers as Parquet stores levels and dictionary indices, runs of one value beside packed bits.
// Source: parquet-format/Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bucketline {

class HybridReader {
 public:
  HybridReader() = default;  // of no values
  // Values of `width` bits, at most 32; `offset` is where the bytes are in their shard, for messages.
  HybridReader(std::string bytes, unsigned width, uint64_t offset);

  // Throws ShardDamage behind the last.
  uint32_t Next();

 private:
  void NextRun();
  uint32_t Packed();

  std::string bytes_;
  unsigned width_ = 0;
  uint64_t offset_ = 0;
  size_t at_ = 0;      // the byte where the next run begins
  uint64_t left_ = 0;  // values of the run
  bool packed_ = false;
  uint32_t value_ = 0;      // of a run of one value
  uint64_t first_bit_ = 0;  // of the next packed value, in bytes_
};

}  // namespace bucketline
