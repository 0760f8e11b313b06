// FileRoot: an open folder below which files are opened, and outside of which none is.
#pragma once

#include <string>
#include <string_view>

#include <sys/stat.h>

#include "bucketline/store/object_store.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

class FileRoot {
 public:
  // Throws kNotFound when there is no such folder.
  explicit FileRoot(const std::string& path);

  // Opens what the relative path leads to ("" is the root), following links. Throws kNotFound,
  // kInvalidArgument when it lies outside of the root, ... The check looks at the opened file itself, so no
  // exchange of links can fool it.
  UniqueFd Open(std::string_view path, int flags, mode_t mode = 0) const;

  // Opens the folder `path`, making it and its parents as needed. Each folder made is appended to `*made`,
  // outermost first, also when this throws.
  UniqueFd MakeFolders(std::string_view path, std::vector<std::string>* made) const;

  int fd() const { return fd_.get(); }

 private:
  bool IsInside(int fd) const;

  UniqueFd fd_;
  std::string real_path_;  // ends with "/"
};

// An object as its file's status tells. The ETag is "inode-size-mtime" in hexadecimal, with quotes.
ObjectInfo ObjectOf(std::string_view key, const struct stat& status);

// The status of an open file; throws.
struct stat StatusOf(int fd);

// Opens the regular file `key` of the folder at `root`; a folder, pipe or device is kNotFound, since it is no
// object. Never waits for the other end of a pipe.
UniqueFd OpenObject(const FileRoot& root, std::string_view key, int flags, struct stat* status);

}  // namespace bucketline
