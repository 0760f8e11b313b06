// ObjectFile: an object that is written from its first byte to its last.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "src/tf_filesystem/engine.h"

namespace bucketline::tf {

// Not thread-safe. The object appears, whole, at Close(); not at all when that is not called, or any call failed.
class ObjectFile {
 public:
  explicit ObjectFile(Place place);
  ~ObjectFile();
  ObjectFile(const ObjectFile&) = delete;
  ObjectFile& operator=(const ObjectFile&) = delete;

  void Append(std::span<const uint8_t> data);  // throws kInvalidArgument when closed
  uint64_t size() const { return size_; }
  void Close();  // a second time: nothing

 private:
  const Place place_;
  std::unique_ptr<ObjectWriter> writer_;  // null once closed
  uint64_t size_ = 0;
};

}  // namespace bucketline::tf
