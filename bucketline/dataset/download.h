// Download: a dataset's objects into another store, many at once, in bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct DownloadOptions {
  size_t parallel = 16;                // reads at once: of as many objects, or of the pieces of fewer
  uint64_t piece = uint64_t{8} << 20;  // bytes of a read; parallel * piece are held at most
  std::string target_prefix = {};      // before each relative key
  // Where relative keys begin in the keys; absent: after the dataset's prefix.
  std::optional<size_t> path_start = {};
  std::function<void(uint64_t objects, uint64_t bytes)> progress =
      {};  // totals so far; from many threads, one at a time
  // After each object that is whole, with its number and what the target says of it; likewise. An Error that it throws
  // is a failure of that object.
  std::function<void(uint64_t index, const ObjectInfo& written)> written = {};
};

struct DownloadReport {
  uint64_t objects = 0;  // whole
  uint64_t bytes = 0;
  std::vector<Error> failures;  // one per object that is missing, in no order; the first 100
  uint64_t failed = 0;
};

// Copies every object of `dataset` to `target` under target_prefix and its key relative to the dataset's; a
// null `target` reads and drops. An object appears whole or not at all; one that fails does not stop the
// others. A key that the target cannot hold (it would leave its folder, say) is a failure that names it.
// Throws kCancelled when stopped.
DownloadReport Download(const Dataset& dataset, ObjectStore* target, const DownloadOptions& options = {},
                        std::stop_token stop = {});

}  // namespace bucketline
