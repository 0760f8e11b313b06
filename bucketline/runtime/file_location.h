// Where a path lies for a FileStore: the folder that is the store's root, and the key below it.
#pragma once

#include <string>
#include <string_view>

namespace bucketline {

struct FileLocation {
  std::string root;  // "/" or "."
  std::string key;   // no leading "/"; a trailing one is kept

  friend bool operator==(const FileLocation&, const FileLocation&) = default;
};

// Absolute paths lie below "/", relative ones below the current folder; "." and ".." are resolved by name,
// and a relative path that leaves the current folder is taken as the absolute one it stands for.
FileLocation LocateFile(std::string_view path);

}  // namespace bucketline
