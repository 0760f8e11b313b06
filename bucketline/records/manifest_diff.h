// The difference of two manifests.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "bucketline/records/manifest.h"

namespace bucketline {

// Reads a manifest's records in order, some at a time. The manifest must live on.
class ManifestCursor {
 public:
  explicit ManifestCursor(const Manifest& manifest) : manifest_(manifest) {}

  // nullptr at the end; the record lives until Pop.
  const Record* Peek();
  void Pop() { ++row_; }

 private:
  const Manifest& manifest_;
  std::vector<Record> rows_;
  size_t row_ = 0;
  uint64_t read_ = 0;
};

// Whether the records have the same key and parts: objects, ranges, sizes, ETags and, where both are known, versions.
bool SameRecord(const Record& a, const Record& b);

struct ManifestDifference {
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t changed = 0;  // the same key, other bytes
  uint64_t same = 0;
};

// Goes through both, in order of their keys. `tell`, where given, gets what one of them lacks with nullptr in its place,
// and both records of a key whose bytes changed. Labels and sources do not count. A stop request ends it with kCancelled.
ManifestDifference DiffManifests(
    const Manifest& before, const Manifest& after,
    const std::function<void(const Record* before, const Record* after)>& tell = {},
    const std::stop_token& stop = {});

}  // namespace bucketline
