// Mount: a dataset's objects as read-only files below a folder, read from the store as they are needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "bucketline/channel/mount_paths.h"
#include "bucketline/dataset/dataset.h"

namespace bucketline {

struct MountOptions {
  uint64_t memory = uint64_t{256} << 20;  // bytes of objects held at a time; 16 MiB at least
  bool allow_other = false;               // other users of the machine may read it too
  LeftOut left_out = {};                  // keys that cannot be paths
};

// Mounted from construction to destruction, with threads of its own. The listing is frozen: names, sizes (mode 0444, in
// folders of mode 0555) and, by the dataset's pin, bytes are those that were listed; every mtime is that of the mount. A
// read of an object that changed or cannot be had fails with EIO, and the first of each object is logged.
class Mount {
 public:
  // Files are named by their keys without the first `path_start` bytes (MountPathStart). `folder` is made if it is
  // not there. The dataset's Runtime outlives the Mount. Throws: kInvalidArgument when the folder is not empty or is the
  // mount of a process that is gone; kUnsupported in a build without FUSE; kUnsupported or kPermissionDenied where the
  // system lacks or refuses it, saying what to do; kResourceExhausted for too little memory.
  Mount(const Dataset& dataset, size_t path_start, const std::string& folder,
        const MountOptions& options = {});
  // Ends reads that wait, with EIO, and unmounts, whoever has files open there.
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  // Waits until somebody else unmounted the folder (true) or `stop` (false).
  bool WaitUntilGone(const std::stop_token& stop);

  uint64_t files() const;
  uint64_t folders() const;       // below the root
  uint64_t bytes_read() const;    // given to readers so far
  uint64_t failed_reads() const;  // answered with EIO so far

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
