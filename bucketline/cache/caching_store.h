// CachingStore: an ObjectStore that remembers on a local disk what it has read.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "bucketline/cache/blob_cache.h"
#include "bucketline/cache/node_cache.h"
#include "bucketline/store/object_store.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {

// A decorator; thread-safe. Only reads that are pinned by an ETag, and by no version, come from the cache or go into it; what
// is not there is read from `inner` straight into the reader's memory, and written to the disk before the reader has it: no
// memory is needed for that, and a disk that is slower than the network slows the first epoch. Bytes from the cache are those
// of the pinned state, also when the object is another one by now, or gone; a key that was written or deleted through this
// store itself is read from `inner`. Reads of the same bytes at once are one read of `inner` if there is room for them.
class CachingStore : public ObjectStore {
 public:
  // `place` tells the store's keys from those of every other store: endpoint and bucket. `dataset`: of which data the
  // entries are, and so with which they leave. `keeps_pixels`: for its readers to know, who make something of the bytes.
  CachingStore(std::shared_ptr<ObjectStore> inner, std::shared_ptr<NodeCache> cache,
               std::shared_ptr<CachedDataset> dataset, std::string place, bool keeps_pixels = false);
  ~CachingStore() override;

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override;
  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override;
  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override;
  void Delete(std::string key, std::function<void(Result<void>)> done) override;
  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition = {}) override;
  std::string UriOf(std::string_view key) const override { return inner_->UriOf(key); }

  const std::shared_ptr<ObjectStore>& inner() const { return inner_; }
  const std::shared_ptr<NodeCache>& cache() const { return cache_; }
  bool keeps_pixels() const { return keeps_pixels_; }
  // What is made of this store's objects by `recipe`, in the same cache. nullptr, with a warning, when there is no room for
  // any. Throws as NodeCache::Use does.
  std::shared_ptr<BlobCache> OpenBlobs(const std::string& recipe) const;

 private:
  struct Read;
  class Sink;
  class Writer;
  using ReadPtr = std::shared_ptr<Read>;

  bool MayCache(const GetRequest& request) const;
  void Changed(const std::string& key);
  void LookUp(const ReadPtr& read);
  bool ReadFromDisk(const ReadPtr& read);
  void Fetch(const ReadPtr& read);
  bool WaitForSame(const ReadPtr& read);
  void Fetched(const ReadPtr& read, Result<ObjectInfo> result);
  void Finish(const ReadPtr& read, Result<ObjectInfo> result);

  const std::shared_ptr<ObjectStore> inner_;
  const std::shared_ptr<NodeCache> cache_;
  const std::shared_ptr<CachedDataset> dataset_;
  const std::string place_;
  const bool keeps_pixels_;
  mutable std::mutex mutex_;                 // guards what follows
  std::unordered_set<std::string> changed_;  // keys, by this store
  std::unordered_map<std::string, std::vector<std::shared_ptr<class ParkedCall>>>
      waiting_;           // for whoever fetches these bytes
  StoreThreads threads_;  // last: its work uses the rest
};

}  // namespace bucketline
