// CounterFile: the few counters that processes share, in a file of fixed size.
#pragma once

#include <cstddef>
#include <string>

#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Mapped shared and writable; what is stored there survives the end of the process, however it comes.
class CounterFile {
 public:
  // `file` is open for reading and writing and has `size` bytes on the disk. Throws PosixError.
  CounterFile(const UniqueFd& file, size_t size);
  CounterFile(const CounterFile&) = delete;
  CounterFile& operator=(const CounterFile&) = delete;
  ~CounterFile();

  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

// Opens `name` in the open folder when it has exactly `size` bytes; no file otherwise. Throws PosixError.
UniqueFd OpenOfSize(int folder, const char* name, size_t size);

// Puts a file with these bytes, written out in full so that a full disk shows here, in the place of `name`. Throws PosixError.
void WriteFileAt(int folder, const std::string& name, const void* data, size_t size);

}  // namespace bucketline
