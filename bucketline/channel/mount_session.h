// MountSession: a MountTree as a read-only file system, through FUSE. The only place that knows FUSE.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/channel/mount_reader.h"
#include "bucketline/channel/mount_tree.h"

namespace bucketline {

struct MountSessionOptions {
  std::string folder;        // an empty one
  bool allow_other = false;  // other users may read it too
  WallTime mtime{};          // of every file and folder
  LogSink log = LogToNowhere();
};

// Mounted from construction to destruction. Its own threads serve it: as many as have a read to wait for, up to a limit.
// Nothing changes below the folder, so the kernel may keep names, attributes and bytes for as long as it likes.
class MountSession {
 public:
  // `tree` and `reader` outlive it. Throws kUnsupported in a build without FUSE; kUnsupported or kPermissionDenied,
  // saying what is missing, where the system refuses to mount.
  MountSession(const MountTree& tree, MountReader& reader, MountSessionOptions options);
  // Ends reads that wait, with EIO, and unmounts, whoever has files open there.
  ~MountSession();
  MountSession(const MountSession&) = delete;
  MountSession& operator=(const MountSession&) = delete;

  // Waits until somebody unmounted the folder (true) or `stop` (false).
  bool WaitUntilGone(const std::stop_token& stop);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bucketline
