// ObjectReader: reads of one state of an object, at any offset.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>

#include "src/tf_filesystem/engine.h"

#include "bucketline/base/bytes.h"

namespace bucketline::tf {

// Thread-safe. What follows a read is read with it: little after a jump, more and more while reads go on one after the
// other, as those of a TFRecord file do, 12 bytes and then a record.
class ObjectReader {
 public:
  // Asks the store for size and ETag, which stay: another state is kObjectChanged. Throws kNotFound.
  explicit ObjectReader(Place place);

  uint64_t size() const { return object_.size; }

  // Fills `target` from `offset` on; fewer bytes only at the end of the object. Returns how many.
  size_t Read(uint64_t offset, std::span<uint8_t> target);

 private:
  struct Window {
    uint64_t at = 0;
    Bytes bytes;
    uint64_t next;  // how much to read when the next read begins at the end of this one

    uint64_t end() const { return at + bytes.size(); }
    // Copies what it has from `offset` on. Returns how many bytes.
    size_t Copy(uint64_t offset, std::span<uint8_t> target) const;
  };

  Window Fetch(const Window& before, uint64_t offset, uint64_t wanted) const;

  const Place place_;
  const ObjectInfo object_;
  std::mutex mutex_;
  Window window_;
};

}  // namespace bucketline::tf
