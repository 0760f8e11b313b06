// MountOperations: what the kernel asks of a mounted MountTree, answered. Only in a build with FUSE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>

#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/log.h"
#include "bucketline/channel/mount_reader.h"
#include "bucketline/channel/mount_tree.h"

namespace bucketline {

// Thread-safe. Each method answers its request, exactly once.
class MountOperations {
 public:
  // What it is given outlives it. `mtime` is that of everything. A stop request ends reads that wait, with EIO.
  MountOperations(const MountTree& tree, MountReader& reader, WallTime mtime, LogSink log,
                  std::stop_token stop);

  // The table that libfuse calls; the session's user data is the MountOperations.
  static const fuse_lowlevel_ops& Table();

  void Lookup(fuse_req_t request, uint64_t folder, const char* name);
  void GetAttributes(fuse_req_t request, uint64_t node);
  void Open(fuse_req_t request, uint64_t node, fuse_file_info* info);
  void Read(fuse_req_t request, uint64_t file, size_t length, uint64_t offset);
  void Release(fuse_req_t request, uint64_t file);
  void OpenFolder(fuse_req_t request, uint64_t node, fuse_file_info* info);
  // `attributes`: each name with what a look-up of it would answer.
  void ReadFolder(fuse_req_t request, uint64_t folder, size_t length, uint64_t position, bool attributes);
  void Statistics(fuse_req_t request);
  // Answers a request whose method threw: what is no failure of an object, a damaged manifest say.
  void Fail(fuse_req_t request, const std::exception& error);

 private:
  struct stat AttributesOf(uint64_t node) const;
  fuse_entry_param EntryOf(uint64_t node) const;

  const MountTree& tree_;
  MountReader& reader_;
  const LogSink log_;
  const std::stop_token stop_;
  const timespec mtime_;
  std::mutex mutex_;                                                        // guards what follows
  std::unordered_map<uint64_t, std::unique_ptr<MountReader::File>> files_;  // open ones, by their address
};

}  // namespace bucketline
