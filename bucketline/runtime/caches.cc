#include "bucketline/runtime/caches.h"

#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/s3/s3_facts.h"

namespace bucketline {
namespace {

constexpr std::string_view kAws = "https://s3.";

}  // namespace

std::string DatasetOfSource(std::string_view source) {
  const std::string_view fixed = source.substr(0, source.find('{'));
  const size_t authority = fixed.find("://");
  const size_t slash = fixed.rfind('/');
  if (slash == std::string_view::npos || (authority != std::string_view::npos && slash < authority + 3))
    return std::string(fixed) + "/";
  return std::string(fixed.substr(0, slash + 1));
}

std::shared_ptr<ObjectStore> Caches::Put(std::shared_ptr<ObjectStore> store, const CacheOptions& options,
                                         std::string_view source) {
  if (const auto* cached = dynamic_cast<const CachingStore*>(store.get())) store = cached->inner();
  if (!PlaceNameOf(*store)) {
    log_(LogLevel::kInfo, fmt::format("{} is on this machine already: the cache {} is not used for it",
                                      source, options.folder));
    return store;
  }
  std::shared_ptr<NodeCache> cache;
  {
    std::error_code ignored;
    const std::string folder = std::filesystem::absolute(options.folder, ignored).lexically_normal().string();
    std::lock_guard lock(mutex_);
    auto& open = caches_[folder];
    if (open == nullptr) open = NodeCache::Open({.folder = folder, .limit = options.size, .log = log_});
    cache = open;
  }
  if (options.size != 0 && options.size != cache->limit()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("cache_size is {}, and this process uses the cache with {} already",
                            FormatByteSize(options.size), FormatByteSize(cache->limit())),
                cache->folder());
  }
  return Wrap(std::move(store), std::move(cache), source, options.pixels);
}

std::shared_ptr<ObjectStore> Caches::Keep(std::shared_ptr<ObjectStore> store, const CacheOptions& otherwise,
                                          std::string_view source) {
  if (const auto* cached = dynamic_cast<const CachingStore*>(store.get())) {
    if (!PlaceNameOf(*cached->inner())) return store;  // made by hand
    return Wrap(cached->inner(), cached->cache(), source, cached->keeps_pixels());
  }
  return otherwise.folder.empty() ? store : Put(std::move(store), otherwise, source);
}

std::shared_ptr<ObjectStore> Caches::Wrap(std::shared_ptr<ObjectStore> inner,
                                          std::shared_ptr<NodeCache> cache, std::string_view source,
                                          bool pixels) {
  const std::string place = PlaceNameOf(*inner).value();
  std::string name = DatasetOfSource(source);
  if (!place.starts_with(kAws)) name += " at " + place;
  std::lock_guard lock(mutex_);
  auto& known = stores_[{inner.get(), cache.get(), name, pixels}];
  if (auto store = known.lock()) return store;
  std::shared_ptr<CachedDataset> dataset = cache->Use(name);
  if (dataset == nullptr) return inner;
  auto store =
      std::make_shared<CachingStore>(std::move(inner), std::move(cache), std::move(dataset), place, pixels);
  known = store;
  return store;
}

CacheStats operator-(const CacheStats& later, const CacheStats& earlier) {
  return {.hits = later.hits - earlier.hits,
          .hit_bytes = later.hit_bytes - earlier.hit_bytes,
          .misses = later.misses - earlier.misses,
          .miss_bytes = later.miss_bytes - earlier.miss_bytes,
          .stored = later.stored - earlier.stored,
          .stored_bytes = later.stored_bytes - earlier.stored_bytes,
          .full = later.full - earlier.full,
          .failed = later.failed - earlier.failed,
          .damaged = later.damaged - earlier.damaged,
          .pixel_hits = later.pixel_hits - earlier.pixel_hits,
          .pixel_hit_bytes = later.pixel_hit_bytes - earlier.pixel_hit_bytes,
          .pixel_misses = later.pixel_misses - earlier.pixel_misses};
}

CacheStats Caches::Stats() const {
  CacheStats stats;
  std::lock_guard lock(mutex_);
  for (const auto& [folder, cache] : caches_) {
    if (cache == nullptr) continue;  // it could not be opened
    const CacheCounters& counters = cache->counters();
    stats.hits += counters.hits.value();
    stats.hit_bytes += counters.hit_bytes.value();
    stats.misses += counters.misses.value();
    stats.miss_bytes += counters.miss_bytes.value();
    stats.stored += counters.stored.value();
    stats.stored_bytes += counters.stored_bytes.value();
    stats.full += counters.full.value();
    stats.failed += counters.failed.value();
    stats.damaged += counters.damaged.value();
    stats.pixel_hits += counters.pixel_hits.value();
    stats.pixel_hit_bytes += counters.pixel_hit_bytes.value();
    stats.pixel_misses += counters.pixel_misses.value();
  }
  return stats;
}

}  // namespace bucketline
