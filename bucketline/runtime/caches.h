// Caches: the caches that a Runtime has open, and the stores behind them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "bucketline/base/log.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/cache/node_cache.h"
#include "bucketline/runtime/runtime.h"

namespace bucketline {

// What data a source is, for a cache: the folder that its keys are in. "s3://b/train-{000..146}.tar" is all of "s3://b/".
std::string DatasetOfSource(std::string_view source);

// Thread-safe.
class Caches {
 public:
  explicit Caches(LogSink log) : log_(std::move(log)) {}

  // See Runtime::WithCache.
  std::shared_ptr<ObjectStore> Put(std::shared_ptr<ObjectStore> store, const CacheOptions& options,
                                   std::string_view source);
  std::shared_ptr<ObjectStore> Keep(std::shared_ptr<ObjectStore> store, const CacheOptions& otherwise,
                                    std::string_view source);
  CacheStats Stats() const;

 private:
  std::shared_ptr<ObjectStore> Wrap(std::shared_ptr<ObjectStore> inner, std::shared_ptr<NodeCache> cache,
                                    std::string_view source, bool pixels);

  const LogSink log_;
  mutable std::mutex mutex_;                                  // guards what follows
  std::map<std::string, std::shared_ptr<NodeCache>> caches_;  // by folder
  // By store, cache, dataset and whether it keeps pixels, as long as somebody reads it: then its entries may leave.
  std::map<std::tuple<ObjectStore*, NodeCache*, std::string, bool>, std::weak_ptr<CachingStore>> stores_;
};

}  // namespace bucketline
