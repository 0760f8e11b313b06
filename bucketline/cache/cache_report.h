// What is in a cache, for people: status, verify, clear.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/base/clock.h"

namespace bucketline {

struct CacheDatasetStatus {
  std::string name;  // the URI of its folder
  uint64_t entries = 0;
  uint64_t bytes = 0;  // of disk
  WallTime last_used{};
  bool in_use = false;
};

struct CacheStatus {
  uint64_t limit = 0;
  uint64_t used = 0;    // bytes of disk
  bool in_use = false;  // by some process
  bool counted =
      false;  // false: after a restart of the system, until the next process has counted; nothing is added
  std::vector<CacheDatasetStatus> datasets;  // the longest unused first
};

struct CacheCheck {
  uint64_t entries = 0;
  uint64_t bytes = 0;    // of disk
  uint64_t damaged = 0;  // entries whose checksum was wrong; they were removed
};

// Each throws kNotFound when `folder` is no cache, and what the file system says; each may run beside jobs that use it.
CacheStatus ReadCacheStatus(const std::string& folder);

// Reads every entry. `progress` gets the entries so far. Throws kCancelled when stopped.
CacheCheck VerifyCache(const std::string& folder, const std::function<void(uint64_t entries)>& progress = {},
                       const std::stop_token& stop = {});

// Removes the entries of every dataset, or of the one of that name; kNotFound when there is none. Returns the bytes of
// disk that came free.
uint64_t ClearCache(const std::string& folder, const std::string& dataset = "");

}  // namespace bucketline
