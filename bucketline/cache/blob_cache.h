// BlobCache: what was made of objects' bytes, such as decoded pixels, kept on a local disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bucketline/cache/node_cache.h"

namespace bucketline {

// Which bytes a blob was made of.
struct BlobSource {
  std::string key;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string etag;
};

// Of one dataset and one recipe: entries of a NodeCache as any other, in a folder of their own, so that blobs of a recipe that
// nobody uses any more leave by themselves. Thread-safe; blocks on the disk. What the disk's faults cost is a blob that is
// made again: nothing here throws.
class BlobCache {
 public:
  // `place` tells stores apart, as for a CachingStore; `recipe` says all of what was done to the bytes.
  BlobCache(std::shared_ptr<NodeCache> cache, std::shared_ptr<CachedDataset> dataset, std::string place,
            std::string recipe)
      : cache_(std::move(cache)),
        dataset_(std::move(dataset)),
        place_(std::move(place)),
        recipe_(std::move(recipe)) {}

  EntryId IdOf(const BlobSource& source) const;

  struct Found {
    uint64_t size = 0;  // of the blob
    std::string note;   // that it was added with
  };
  // Looks at the header alone, and has the system read ahead what follows. One of another state of the object leaves.
  std::optional<Found> Find(const EntryId& id);

  // Fills `memory` with the blob, and counts a hit. False when it is not there any more, damaged (then it leaves) or of
  // another size.
  bool Read(const EntryId& id, std::span<uint8_t> memory);

  // Keeps it if there is room, and counts a miss: it had to be made. `note`: a few bytes that Find gives back.
  void Add(const EntryId& id, std::string_view note, std::span<const uint8_t> blob);

 private:
  std::optional<EntryReader> Open(const EntryId& id);

  const std::shared_ptr<NodeCache> cache_;
  const std::shared_ptr<CachedDataset> dataset_;
  const std::string place_;
  const std::string recipe_;
};

}  // namespace bucketline
