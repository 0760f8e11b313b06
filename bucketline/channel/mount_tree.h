// MountTree: the folders and files that a dataset's keys spell, computed from the sorted keys: no string an object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Immutable; thread-safe. A folder is a range of the sorted records and the length of what their keys have in common:
// 16 bytes. Nodes are numbered from 1, the root: folders in the order of their first record, outer ones first, then a
// file for each record. Names are found by binary search in the manifest's compressed keys.
class MountTree {
 public:
  static constexpr uint64_t kRoot = 1;

  // `dataset` as OnlyPaths() made it. Throws kUnsupported for more than 2^32 - 1 records.
  MountTree(Dataset dataset, size_t path_start);

  const Dataset& dataset() const { return dataset_; }
  uint64_t folders() const { return folders_.size(); }  // with the root

  bool Exists(uint64_t node) const { return node >= 1 && node <= folders_.size() + dataset_.size(); }
  bool IsFolder(uint64_t node) const { return node >= 1 && node <= folders_.size(); }
  // The record of a file. Precondition: Exists(file) and not IsFolder(file).
  uint64_t RecordOf(uint64_t file) const { return file - 1 - folders_.size(); }
  uint64_t NodeOf(uint64_t record) const { return record + 1 + folders_.size(); }

  // In what follows `folder` is one.
  std::optional<uint64_t> Lookup(uint64_t folder, std::string_view name) const;
  uint64_t ParentOf(uint64_t folder) const;  // of the root: the root

  // Called with each child from `position` on; 0 is the first one. `next` is the position after it. False ends the listing.
  // Children come in bytewise order of their names, those of folders taken with a "/" at their end.
  using Visit = std::function<bool(std::string_view name, uint64_t node, uint64_t next)>;
  void List(uint64_t folder, uint64_t position, const Visit& visit) const;

  // Bytes of memory beside the dataset's own.
  size_t memory() const { return folders_.capacity() * sizeof(Folder); }

 private:
  struct Folder {
    uint32_t first = 0;  // record
    uint32_t last = 0;   // the one after its last
    uint32_t depth = 0;  // bytes of its path in the keys, with its "/"
    uint32_t parent = 0;
  };

  const Folder& FolderOf(uint64_t node) const { return folders_[node - 1]; }
  // The folder that begins with this record and has this path length.
  uint64_t FolderAt(uint32_t record, size_t depth) const;
  // The first record in [first, last) whose key is not below `key`.
  uint32_t LowerBound(uint32_t first, uint32_t last, std::string_view key) const;

  const Dataset dataset_;
  std::vector<Folder> folders_;
};

}  // namespace bucketline
