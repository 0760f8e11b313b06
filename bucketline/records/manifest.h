// Manifest: the frozen, ordered list of a dataset's records, with labels and a fingerprint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/bytes.h"

namespace bucketline {

// Where the bytes of one part of a record are: a range of an object. Raw objects have one part, the whole object.
struct RecordPart {
  std::string object_key;    // in the store of the manifest's source
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t object_size = 0;
  std::string etag;          // of the object when it was listed; "" unknown
};

struct Record {
  std::string key;                // as listed, without the bucket
  std::vector<RecordPart> parts;  // one per Manifest::part_names()
};

enum class LabelKind { kNone, kClass, kInteger, kFloat, kVector };

// One label a record. kClass: an index into `classes`. kVector: `width` floats a record.
struct LabelColumn {
  LabelKind kind = LabelKind::kNone;
  std::vector<std::string> classes;  // of kClass, in order of their index
  size_t width = 1;
  std::vector<int64_t> integers;     // of kClass and kInteger, one a record
  std::vector<float> floats;         // of kFloat and kVector, size * width
};

// Immutable; sharable by threads; cheap to copy (shared storage). Records are ordered bytewise by key. Keys, sizes and
// ETags are kept compressed: at most 48 bytes a record for usual keys, in RAM as in the file.
class Manifest {
 public:
  // An empty manifest.
  Manifest();

  uint64_t size() const;
  const std::string& source() const;  // URI of the prefix that was listed, without credentials
  const std::vector<std::string>& part_names() const;  // {"data"} in the plain case

  // Preconditions: index < size(). O(block) time. Throws kCorruptData naming the block when its checksum is wrong
  // (checked on first touch).
  std::string Key(uint64_t index) const;
  Record At(uint64_t index) const;
  uint64_t RecordBytes(uint64_t index) const;  // of all parts

  uint64_t total_bytes() const;
  uint64_t largest_record() const;  // bytes of all its parts
  uint64_t largest_record_index() const;

  // Of keys, ranges and ETags, not of labels or source: the same data has the same fingerprint wherever it was
  // listed.
  uint64_t fingerprint() const;

  const LabelColumn& labels() const;
  Manifest WithLabels(LabelColumn labels) const;  // throws kInvalidArgument when its length is not size()

  // The bytes of the file form, versioned and checksummed. FromBytes(ToBytes()) is the same manifest.
  // Throws kCorruptData: not a manifest, another version, truncated, bad checksum.
  Bytes ToBytes() const;
  static Manifest FromBytes(Bytes bytes);

 private:
  friend class ManifestBuilder;
  struct Storage;
  explicit Manifest(std::shared_ptr<const Storage> storage);
  std::shared_ptr<const Storage> storage_;
};

// Collects records in any order. Not thread-safe.
class ManifestBuilder {
 public:
  explicit ManifestBuilder(std::string source, std::vector<std::string> part_names = {"data"});
  ~ManifestBuilder();

  void Add(Record record);

  // Sorts and freezes. Throws kInvalidArgument naming a key that was added twice.
  Manifest Build() &&;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
