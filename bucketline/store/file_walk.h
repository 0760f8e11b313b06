// FileWalk: the regular files below a folder, in bytewise order of their whole keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "bucketline/store/file_root.h"
#include "bucketline/store/list_page.h"

namespace bucketline {

// Each folder's names are sorted as they appear in keys, a folder's with its "/": "a-b" comes before "a/c".
// Then walking depth first gives whole keys in order, and only the folders on the way to the next key are in
// memory. Links are followed inside the root; those that lead outside, nowhere or back to a folder being
// walked are left out, as are temporary files, pipes and devices. What vanishes meanwhile is left out too.
class FileWalk : public KeyCursor {
 public:
  // Folders that cannot hold keys with `prefix` are not opened.
  FileWalk(FileRoot root, std::string prefix);

  std::optional<ObjectInfo> Seek(const std::string& from) override;

  // True when no folder in memory has changed since it was read, so that going on gives what a new walk
  // would.
  bool IsCurrent() const;

 private:
  struct Level {
    std::string path;  // "" or ends with "/"
    struct stat status = {};
    std::vector<std::string> entries;  // names; a folder's ends with "/"
    size_t next = 0;
  };
  void Enter(const std::string& path);
  bool IsOnTheWay(const struct stat& status) const;
  std::vector<std::string> ReadEntries(int folder, const std::string& path) const;
  std::optional<std::string> EntryOf(const std::string& path, const char* name, unsigned char type) const;
  std::optional<ObjectInfo> ObjectAt(const std::string& key) const;
  bool MayHoldPrefix(const std::string& folder) const;

  FileRoot root_;
  const std::string prefix_;
  std::vector<Level> levels_;
  bool started_ = false;
};

}  // namespace bucketline
