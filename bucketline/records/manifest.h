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

// Where the bytes of one part of a record are: a range of an object. Raw objects have one part, the whole
// object.
struct RecordPart {
  std::string
      object_key;  // in the store of the part: that of the manifest's source, unless parts were joined
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t object_size = 0;
  std::string etag;          // of the object when it was listed; "" unknown
  std::string version = {};  // of the object when it was listed; "" where versions were not asked for
  std::optional<uint32_t> crc32c = {};  // of the part's bytes, where its shard's format has checksums
};

struct Record {
  std::string key;                // as listed, without the bucket
  std::vector<RecordPart> parts;  // one per Manifest::part_names()
};

// The values are those of the file.
enum class LabelKind { kNone, kClass, kInteger, kFloat, kVector };

// One label a record. kClass: an index into `classes`. kVector: `width` floats a record; one-hot ones have
// `classes`, as many as the width.
struct LabelColumn {
  LabelKind kind = LabelKind::kNone;
  std::vector<std::string> classes;  // of kClass and of one-hot kVector, in order of their index
  size_t width = 1;
  std::vector<int64_t> integers;  // of kClass and kInteger, one a record
  std::vector<float> floats;      // of kFloat and kVector, size * width
};

// Immutable; sharable by threads; cheap to copy (shared storage). Records are ordered bytewise by key. Keys,
// sizes and ETags are kept compressed: at most 48 bytes a record for usual keys, in RAM as in the file.
class Manifest {
 public:
  // An empty manifest.
  Manifest();

  uint64_t size() const;
  const std::string& source() const;  // URI of the prefix that was listed, without credentials
  const std::vector<std::string>& part_names() const;  // {"data"} in the plain case
  bool has_versions() const;   // RecordPart::version is known; they are kept only then
  bool has_checksums() const;  // some part's RecordPart::crc32c is known

  // Preconditions: index < size(). O(block) time. Throws kCorruptData naming the block when its checksum is
  // wrong (checked on first touch).
  std::string Key(uint64_t index) const;
  Record At(uint64_t index) const;
  uint64_t RecordBytes(uint64_t index) const;  // of all parts
  // At(first) and those after it: for reading all, each block once. Precondition: first + count <= size().
  std::vector<Record> Range(uint64_t first, uint64_t count) const;

  uint64_t total_bytes() const;
  uint64_t largest_record() const;  // bytes of all its parts
  uint64_t largest_record_index() const;

  // Of keys, ranges, ETags and versions, not of labels, source or checksums: the same data has the same fingerprint
  // wherever it was listed.
  uint64_t fingerprint() const;

  // Decoded on first use; throws kCorruptData when that fails. Lives as long as a copy of this manifest.
  const LabelColumn& labels() const;
  Manifest WithLabels(LabelColumn labels) const;  // throws kInvalidArgument when its length is not size()

  // These records alone, with their labels, as a manifest of its own. Precondition: the numbers ascend, each
  // once, and are below size().
  Manifest Pick(const std::vector<uint64_t>& numbers) const;

  // The bytes of the file form, versioned and checksummed. FromBytes(ToBytes()) is the same manifest; it
  // works on the bytes it is given (a mapped file, say) and looks at the header alone. Throws kCorruptData:
  // not a manifest, another version, truncated, bad checksum of the header. Blocks and labels are checked
  // when they are first touched.
  Bytes ToBytes() const;
  static Manifest FromBytes(Bytes bytes);

 private:
  struct Storage;
  explicit Manifest(std::shared_ptr<const Storage> storage);
  std::shared_ptr<const Storage> storage_;
};

// Collects records in any order. Beyond the latest few ten thousand it holds them compressed. Not
// thread-safe.
class ManifestBuilder {
 public:
  // Throws kInvalidArgument: no part name, or one twice.
  explicit ManifestBuilder(std::string source, std::vector<std::string> part_names = {"data"});
  ~ManifestBuilder();

  // Throws kInvalidArgument naming the record: not one part for each part name, a range that is not inside
  // its object.
  void Add(Record record);

  // Sorts and freezes. Throws kInvalidArgument naming a key that was added twice.
  Manifest Build() &&;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
