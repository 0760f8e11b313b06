// FileLister: pages of a folder's keys, without reading a large folder again for every page.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "bucketline/store/call_tracker.h"
#include "bucketline/store/file_walk.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Thread-safe. Keeps the walks of the few latest unfinished listings by their tokens; a page goes on with its
// walk if nothing changed there, and starts a new walk otherwise: what is kept only saves time.
class FileLister {
 public:
  // Blocks. Throws kNotFound when there is no folder `root`.
  ListPage ListPageOf(const std::string& root, const ListRequest& request, const CallStop& stop);

  size_t kept_walks() const;

 private:
  static constexpr size_t kMaxKept = 4;
  struct Kept {
    std::string prefix;
    std::string token;
    std::unique_ptr<FileWalk> walk;
  };
  std::unique_ptr<FileWalk> Take(const ListRequest& request);
  void Keep(const ListRequest& request, const std::string& token, std::unique_ptr<FileWalk> walk);

  mutable std::mutex mutex_;
  std::list<Kept> kept_;  // the latest first
};

}  // namespace bucketline
