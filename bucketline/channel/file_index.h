// FileIndex: which files of a folder are whole copies of which objects, remembered in a file from one run to the next.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bucketline/store/unique_fd.h"

namespace bucketline {

// Not thread-safe. The file is a row of records of 32 bytes, added one at a time: a crash loses the last one at most, and
// what is no whole record counts as none. Texts are kept as 64-bit hashes.
class FileIndex {
 public:
  // Reads what is recorded; makes the file if it is not there. Throws what the file system says, naming `path`.
  explicit FileIndex(std::string path);

  // Whether the latest record of the file `name` says that it is a copy of `source` and is in the state `local` (texts that
  // change whenever the object or the file do).
  bool Has(std::string_view name, std::string_view source, std::string_view local) const;

  // Whether a record of `name` is of `source`: if not, the file need not be looked at.
  bool MayHave(std::string_view name, std::string_view source) const;

  void Add(std::string_view name, std::string_view source, std::string_view local);

 private:
  struct Copy {
    uint64_t source = 0;
    uint64_t local = 0;
  };
  void Read();

  const std::string path_;
  UniqueFd file_;
  std::unordered_map<uint64_t, Copy> copies_;  // by name
};

}  // namespace bucketline
