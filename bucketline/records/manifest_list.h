// ManifestList: the records of several manifests as one list, one manifest after another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bucketline/records/manifest.h"

namespace bucketline {

// Immutable; sharable by threads; cheap to copy. Records keep their order: bytewise by key within each
// manifest. A record's number counts from 0 through all of them.
class ManifestList {
 public:
  ManifestList() : ManifestList(std::vector<Manifest>()) {}
  explicit ManifestList(std::vector<Manifest> manifests);

  const std::vector<Manifest>& manifests() const { return storage_->manifests; }
  uint64_t size() const { return storage_->first.back(); }

  // Where a record is: in which manifest, and its number there.
  struct Place {
    size_t manifest = 0;
    uint64_t index = 0;
  };

  // Preconditions: number < size(); manifest < manifests().size().
  Place Find(uint64_t number) const;
  uint64_t FirstOf(size_t manifest) const { return storage_->first[manifest]; }  // its first record's number

  // As those of Manifest. Preconditions: number < size().
  std::string Key(uint64_t number) const;
  Record At(uint64_t number) const;
  uint64_t RecordBytes(uint64_t number) const;
  const std::string& SourceOf(uint64_t number) const;

  // Of all manifests and their order; that of the manifest when there is one.
  uint64_t fingerprint() const;

 private:
  struct Storage {
    std::vector<Manifest> manifests;
    std::vector<uint64_t> first;  // of each, and the end of the last
  };
  std::shared_ptr<const Storage> storage_;
};

}  // namespace bucketline
