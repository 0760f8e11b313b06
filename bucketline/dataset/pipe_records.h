// PipeRecords: the RecordIO records of one FIFO, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/base/error.h"
#include "bucketline/dataset/pipe_file.h"
#include "bucketline/records/recordio.h"

namespace bucketline {

// Not thread-safe. Holds 64 KiB; large records go straight into the memory that is given for them. Throws what PipeFile
// does, and kCorruptData, naming FIFO and offset, where no record begins or one ends early.
class PipeRecords {
 public:
  // Memory for `bytes`. May wait and may throw.
  using Room = std::function<std::shared_ptr<uint8_t[]>(size_t bytes)>;

  // Precondition: `file` outlives it.
  explicit PipeRecords(PipeFile& file);

  // The next record; nullopt at the end of the stream. `room` is asked once, or once more than a record has parts.
  std::optional<Bytes> Next(const Room& room);

  // The same without keeping its bytes; false at the end of the stream.
  bool Skip();

  uint64_t records() const { return records_; }  // that were read or skipped

 private:
  std::optional<RecordIoHead> NextPart(bool first);
  void Fill(std::span<uint8_t> target);
  void Drop(size_t bytes);
  bool Refill();
  [[noreturn]] void ThrowCut() const;
  [[noreturn]] void ThrowNoRecord(const std::string& what) const;

  PipeFile& file_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t offset_ = 0;  // in the stream, of buffer_[begin_]
  uint64_t records_ = 0;
};

}  // namespace bucketline
