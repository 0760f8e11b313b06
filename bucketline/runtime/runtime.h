// Runtime: the owner of threads, sockets, credentials and stores; what several datasets and loaders share.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "bucketline/base/log.h"
#include "bucketline/base/uri.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/exec/timer.h"
#include "bucketline/s3/s3_store.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// A cache on a local disk, for all processes and jobs of a machine; see docs/cache.md.
struct CacheOptions {
  std::string folder = {};  // made when it is not there; empty: none
  uint64_t size = 0;        // bytes of disk that it may take; 0: as it was given before
  // Loaders keep decoded pixels instead of the objects: what an ImageSpec says up to crop and resize. Not for random crops.
  bool pixels = false;
};

// Of all caches that a Runtime has used; cache/node_cache.h says what each is.
struct CacheStats {
  uint64_t hits = 0;
  uint64_t hit_bytes = 0;
  uint64_t misses = 0;
  uint64_t miss_bytes = 0;
  uint64_t stored = 0;
  uint64_t stored_bytes = 0;
  uint64_t full = 0;
  uint64_t failed = 0;
  uint64_t damaged = 0;
  uint64_t pixel_hits = 0;  // images that were not decoded, as their pixels were there
  uint64_t pixel_hit_bytes = 0;
  uint64_t pixel_misses = 0;
};
CacheStats operator-(const CacheStats& later, const CacheStats& earlier);

struct RuntimeOptions {
  uint64_t memory = 0;  // bytes that all loaders together may reserve; 0: no common cap
  size_t network_threads = 1;
  size_t connections =
      256;  // kept alive in all; the most requests at a time to one first folder of a bucket. The retry
            // budget grows with it
  bool hedge = true;           // small reads that are late are asked for again: at most 3 % of all requests
  std::string ca_bundle = {};  // PEM; empty: AWS_CA_BUNDLE, SSL_CERT_FILE, the system's
  CacheOptions cache = {};     // of every dataset in S3 that is given none of its own
  S3Options s3 = {};           // defaults for stores that are not given their own
  LogSink log = LogToStderr();
};

// Made by the caller; outlives everything made from it. Thread-safe. Using it in a forked child is kInternal
// with a message that says so, never a hang. Destroying it ends its threads.
class Runtime {
 public:
  explicit Runtime(RuntimeOptions options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // The store of a URI's bucket (keys are object keys), or of a path's folder: for files the store's root is
  // "/" for absolute paths and the current folder otherwise, so that Uri::key without its leading "/" is the
  // key. Stores are made once per (scheme, bucket, options) and shared.
  std::shared_ptr<ObjectStore> StoreFor(const Uri& uri);
  std::shared_ptr<ObjectStore> StoreFor(const Uri& uri, const S3Options& s3);

  // `store` behind a cache, to read the dataset of that source from, which is a prefix or shards. As it is where its objects
  // are files or in memory, since they are near already. Throws as NodeCache::Open does.
  std::shared_ptr<ObjectStore> WithCache(std::shared_ptr<ObjectStore> store, const CacheOptions& cache,
                                         std::string_view source);
  // The same by the cache that `store` is behind already, else by that of the options; as it is when there is none.
  std::shared_ptr<ObjectStore> WithCache(std::shared_ptr<ObjectStore> store, std::string_view source);

  // The key of `uri` within StoreFor(uri).
  static std::string KeyOf(const Uri& uri);

  // Registers an existing store under mem://name (tests, embedded use).
  void AddStore(const std::string& name, std::shared_ptr<ObjectStore> store);

  MemoryBudget* memory();  // the common cap; nullptr when there is none
  const S3Counters& counters() const;
  CacheStats cache_stats() const;
  ConcurrencyState concurrency() const;  // of all S3 requests, now
  const RuntimeOptions& options() const;
  Timer& timer();
  const LogSink& log() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
