// What tests of the cache share: entries with known bytes, and what a folder takes of the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "bucketline/cache/node_cache.h"
#include "bucketline/store/store_testing.h"

namespace bucketline::testing {

// One entry of whose bytes a test knows everything: number `n` of a dataset.
struct KnownEntry {
  explicit KnownEntry(uint64_t n, size_t size = 10'000, const std::string& etag = "\"e\"")
      : bytes(RampBytes(size, n)),
        id("mem://store", "key-" + std::to_string(n), 0, size, etag),
        object{.key = {}, .size = size, .etag = etag, .last_modified = WallTime(Duration(7))} {}

  std::vector<uint8_t> bytes;
  EntryId id;
  ObjectInfo object;
};

inline NodeCache::Added Add(NodeCache& cache, const CachedDataset& dataset, const KnownEntry& entry) {
  return cache.Add(dataset, entry.id, entry.object, entry.bytes);
}

// Whether the cache has it; other bytes than those that were added throw.
inline bool Has(NodeCache& cache, const CachedDataset& dataset, const KnownEntry& entry) {
  const std::optional<EntryReader> found = cache.Find(dataset, entry.id);
  if (!found || found->state() != EntryReader::State::kWanted) return false;
  std::vector<uint8_t> bytes(found->payload_size());
  if (!found->Read(bytes) || bytes != entry.bytes || found->object().size != entry.object.size)
    throw std::runtime_error("other bytes than were added");
  return true;
}

// The file of an entry below the cache's folder; of a cache that has one.
inline std::string OnlyEntryOf(const std::string& folder) {
  std::string found;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().filename().string().size() == 16) found = file.path().string();
  }
  return found;
}

// What du would say, in bytes.
inline uint64_t DiskUse(const std::string& folder) {
  uint64_t bytes = 0;
  const auto add = [&](const std::filesystem::path& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) == 0) bytes += static_cast<uint64_t>(status.st_blocks) * 512;
  };
  add(folder);
  std::error_code gone;  // while others work on it
  for (std::filesystem::recursive_directory_iterator at(folder, gone), end; at != end; at.increment(gone)) {
    add(at->path());
    if (gone) break;
  }
  return bytes;
}

}  // namespace bucketline::testing
