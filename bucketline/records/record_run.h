// Record runs: records in order, compressed, on their way into a manifest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/block_codec.h"
#include "bucketline/records/manifest.h"

namespace bucketline {

// Appends records in the order they are given; blocks of kBlockRecords, the last may have fewer.
class RunWriter {
 public:
  explicit RunWriter(size_t parts) : encoder_(parts) {}

  void Add(const Record& record);
  void Finish();  // after the last Add

  uint64_t records() const { return records_; }
  // After Finish().
  const std::string& blocks() const { return blocks_; }
  const std::vector<uint64_t>& offsets() const { return offsets_; }
  std::string_view Block(size_t index) const;

 private:
  BlockEncoder encoder_;
  uint64_t records_ = 0;
  std::string blocks_;
  std::vector<uint64_t> offsets_;  // of each block in blocks_
};

// Reads a finished run (which must live on) one record at a time, holding one block decoded.
class RunReader {
 public:
  RunReader(const RunWriter& run, size_t parts);

  bool done() const { return row_ == rows_.size(); }
  const Record& record() const { return rows_[row_]; }  // precondition: !done()
  void Next();

 private:
  void Load();

  const RunWriter* run_;
  size_t parts_;
  size_t block_ = 0;
  size_t row_ = 0;
  std::vector<Record> rows_;
};

}  // namespace bucketline
