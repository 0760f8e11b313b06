// Entry: the bytes of one read in one file, with what they are of and what shows damage.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/store/object_store.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Which bytes. The ETag is no part of the name: of one range of one object the cache keeps one state.
class EntryId {
 public:
  // `store` tells buckets apart wherever they are: endpoint and bucket. `length` is kToEnd where the reader did not
  // know the object's size. `recipe`: what was made of the bytes; "" for themselves.
  EntryId(std::string_view store, std::string_view key, uint64_t offset, uint64_t length, std::string etag,
          std::string_view recipe = {});
  static constexpr uint64_t kToEnd = UINT64_MAX;

  uint64_t hash() const { return hash_; }  // names the file; the file itself says whether it is the one
  const std::string& range() const { return range_; }  // with the recipe
  const std::string& etag() const { return etag_; }

 private:
  std::string range_;  // store, key, offset, length and recipe in one text
  std::string etag_;
  uint64_t hash_;
};

// What stands before the bytes: their length, their checksum, its own checksum, whose they are.
std::vector<uint8_t> EntryHeader(const EntryId& id, const ObjectInfo& object,
                                 std::span<const uint8_t> payload);

// One open entry. Every member may throw PosixError of the file system.
class EntryReader {
 public:
  enum class State {
    kWanted,   // this range in this state, as far as the header tells
    kOther,    // another state of the object, or another range whose hash is the same
    kDamaged,  // a file that no writer left so
  };

  EntryReader(UniqueFd file, const EntryId& id);

  State state() const { return state_; }
  // Of kWanted:
  const ObjectInfo& object() const { return object_; }  // without its key
  uint64_t payload_size() const { return payload_size_; }
  // Has the system read the bytes in the background.
  void ReadAhead() const;
  // False when the bytes are not those that were written. Precondition: memory.size() == payload_size().
  bool Read(std::span<uint8_t> memory) const;

  uint64_t inode() const;  // of the open file

 private:
  UniqueFd file_;
  State state_ = State::kDamaged;
  ObjectInfo object_;
  uint64_t payload_size_ = 0;
  uint64_t payload_hash_ = 0;
  uint64_t payload_at_ = 0;
};

// For a look at entries of which nothing else is known: whether header and bytes are whole.
bool IsWholeEntry(int file);

}  // namespace bucketline
