// NodeCache: what was read from afar, kept on a local disk for all processes, jobs and restarts of a machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "bucketline/base/log.h"
#include "bucketline/base/metrics.h"
#include "bucketline/cache/cache_files.h"
#include "bucketline/cache/entry.h"

namespace bucketline {

struct NodeCacheOptions {
  std::string folder;  // on a local disk; made when it is not there
  // Bytes of disk that all of it may take, names and inodes included, at least 1 MiB. 0: as the cache was given before.
  uint64_t limit = 0;
  LogSink log = LogToStderr();
};

struct CacheCounters {
  Counter hits;  // reads that came from the disk
  Counter hit_bytes;
  Counter misses;  // reads that went to the store, and might have come from here
  Counter miss_bytes;
  Counter stored;  // entries added
  Counter stored_bytes;
  Counter full;        // reads that were not kept for want of room
  Counter failed;      // ... as the disk failed, or was full before the limit
  Counter damaged;     // entries that were not what had been written, and were thrown away
  Counter shared;      // reads that waited for another of the same bytes
  Counter pixel_hits;  // of blobs (blob_cache.h): those that came from the disk
  Counter pixel_hit_bytes;
  Counter pixel_misses;  // ... that had to be made
};

// The folder of one dataset, which stays as long as somebody uses it.
class CachedDataset {
 public:
  CachedDataset(std::unique_ptr<DatasetFolder> folder, UniqueFd locks, RangeLock use)
      : folder_(std::move(folder)), locks_(std::move(locks)), use_(std::move(use)) {}
  ~CachedDataset();

  const DatasetFolder& folder() const { return *folder_; }

 private:
  const std::unique_ptr<DatasetFolder> folder_;
  const UniqueFd locks_;
  const RangeLock use_;  // after `locks_`, so released before
};

// Thread-safe; blocks on the disk. One a process and folder; several are as several processes are.
//
// Bytes on the disk never exceed the limit, whoever ends and how: room is taken before anything is written, and what a
// killed process has left is found by its mark and counted again. A file is written under another name and then named, so
// that a reader sees a whole entry or none; nothing is flushed, so that after a loss of power each entry's checksum tells.
class NodeCache {
 public:
  // Throws kInvalidArgument: no limit, where none was given before; one below 1 MiB; another one than processes that use the
  // cache now were given; a folder on a network's file system. kUnsupported: made by another version. What the file system says.
  static std::shared_ptr<NodeCache> Open(NodeCacheOptions options);
  ~NodeCache();
  NodeCache(const NodeCache&) = delete;
  NodeCache& operator=(const NodeCache&) = delete;

  // `name` names a dataset the same in every job: its URI. nullptr, with a warning, when not even its folder fits.
  std::shared_ptr<CachedDataset> Use(const std::string& name);

  // The entry; nullopt when there is none.
  std::optional<EntryReader> Find(const CachedDataset& dataset, const EntryId& id);

  enum class Added { kStored, kThere, kFull, kFailed };
  // Keeps the bytes, if there is room or can be made. What fails is counted, and warned of now and then.
  Added Add(const CachedDataset& dataset, const EntryId& id, const ObjectInfo& object,
            std::span<const uint8_t> payload);
  // Whether Add of so many bytes may succeed, as far as is known without looking at the disk.
  bool Accepts(uint64_t bytes) const;

  // The bytes of an entry of state kWanted. kFailed, counted and warned of now and then: the disk could not give them.
  enum class Bytes { kWhole, kDamaged, kFailed };
  Bytes Read(const EntryReader& entry, std::span<uint8_t> memory);

  // Throws the entry away that `reader` has open, if it still is the one.
  void Drop(const CachedDataset& dataset, const EntryId& id, const EntryReader& reader);

  CacheCounters& counters() { return counters_; }
  const std::string& folder() const { return files_->path(); }
  uint64_t limit() const { return files_->state().limit.load(); }
  uint64_t used() const { return files_->state().used.load(); }

 private:
  class LaneLoan;

  NodeCache(std::unique_ptr<CacheFiles> files, LogSink log)
      : files_(std::move(files)), log_(std::move(log)) {}
  void Join(uint64_t limit);
  void SetLimit(uint64_t limit, bool alone);
  void CountInBackground();
  void Count(const std::stop_token& stop);
  void Counted();
  bool MakeRoom(uint64_t bytes, const Lane& lane);
  void Write(const CachedDataset& dataset, const EntryId& id, std::span<const uint8_t> header,
             std::span<const uint8_t> payload, const Lane& lane, bool* there);
  void Warn(const Error& error);

  const std::unique_ptr<CacheFiles> files_;
  const LogSink log_;
  CacheCounters counters_;
  // Steady time, nanoseconds, until which
  std::atomic<int64_t> full_until_{0};    // no room is looked for
  std::atomic<int64_t> failed_until_{0};  // nothing is added
  std::atomic<int64_t> quiet_until_{0};   // no warning is given
  std::mutex mutex_;                      // guards what follows
  std::vector<Lane> lanes_;               // those that are not on loan; at least one was made
  std::map<std::string, std::weak_ptr<CachedDataset>> datasets_;
  std::stop_source stop_counting_;
  std::thread counting_;
};

}  // namespace bucketline
