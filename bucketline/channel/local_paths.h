// Local paths: what the key of an object is called as a file of a channel, and which keys cannot be files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// The bytes of `prefix` that file names do not have: all through its last "/". Of "data/train" the object
// "data/train-1.csv" is the file "train-1.csv".
size_t PathStart(std::string_view prefix);

// Why `path` cannot be a file below a folder; "" when it can: an empty segment (also at its begin or end), "." or "..", a
// NUL, a segment of more than 255 bytes.
std::string PathProblem(std::string_view path);

// Finds, of paths that come in bytewise order, those that cannot be: PathProblem's, one that comes twice, and those below
// a path that is a file ("w/p" after "w"). Its memory is that of the longest chain of paths each of which begins with the
// one before it.
class PathChecker {
 public:
  // "" when it can be. Precondition: not before the last one.
  std::string Check(std::string_view path);

 private:
  std::vector<std::string> open_;  // files that begin each other and the last path, shortest first
};

struct PathFault {
  uint64_t index = 0;   // in the dataset
  std::string path;     // its key from `path_start` on
  std::string problem;  // "it has an empty segment"
};

// Calls `fault` for each key of `dataset` that cannot be a file when its first `path_start` bytes are left out. Those
// bytes are the same in all keys.
void FindPathFaults(const Dataset& dataset, size_t path_start,
                    const std::function<void(const PathFault& fault)>& fault);

// Throws one kInvalidArgument that names the first few of them and how many there are, when there are any.
void CheckPaths(const Dataset& dataset, size_t path_start);

}  // namespace bucketline
