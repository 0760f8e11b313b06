// DatasetFolder: the folder of one dataset's entries, and its counters.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"
#include "bucketline/cache/counter_file.h"
#include "bucketline/cache/layout.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

// The blocks of a file of `size` bytes, its inode and its name.
uint64_t DiskBytes(uint64_t size, uint64_t block);

// Thread-safe. Locks are its users' business (layout.h).
class DatasetFolder {
 public:
  struct Count {
    uint64_t bytes = 0;
    uint64_t entries = 0;
  };

  static uint64_t IdOf(std::string_view name);
  static std::string FolderOf(uint64_t id);  // "d-0123456789abcdef"

  // Opens it; nullptr where there is none, or none that is whole. Throws PosixError.
  static std::unique_ptr<DatasetFolder> Open(int root, uint64_t id, uint64_t block);
  // Makes it, empty. Throws PosixError.
  static std::unique_ptr<DatasetFolder> Make(int root, std::string_view name, uint64_t block);
  // Of an empty one, beside its entries.
  static uint64_t OwnBytes(uint64_t block);

  uint64_t id() const { return id_; }
  int fd() const { return folder_.get(); }
  uint64_t block() const { return block_; }
  std::string name() const;
  WallTime last_used() const;
  void Touch(WallTime now);
  DatasetInfo& info() const { return *static_cast<DatasetInfo*>(map_->data()); }
  Count Total() const;

  static size_t FolderOfHash(uint64_t hash) { return hash >> 56; }
  static std::string PathOfHash(uint64_t hash);  // "01/0123456789abcdef"
  static std::string PathOfFolder(size_t folder);

  // What is there. Unfinished entries are removed: only under the folder's exclusive lock, or before anybody adds.
  Count CountEntries(size_t folder) const;
  // Removes every file, and the folder itself; what cannot be removed stays.
  void RemoveEntries(size_t folder) const;
  // Calls with the folder's open descriptor and each entry's name. False when `visit` said so.
  bool ForEachEntry(size_t folder, const std::function<bool(int folder_fd, const char* name)>& visit) const;

 private:
  DatasetFolder(uint64_t id, UniqueFd folder, const UniqueFd& info, uint64_t block);

  const uint64_t id_;
  const uint64_t block_;
  const UniqueFd folder_;
  const std::unique_ptr<CounterFile> map_;
};

}  // namespace bucketline
