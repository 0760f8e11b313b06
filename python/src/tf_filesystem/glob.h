// Glob: the paths that match a pattern of a shell.
#pragma once

#include <string>
#include <vector>

#include "src/tf_filesystem/engine.h"

namespace bucketline::tf {

// The keys of objects and folders that match the key of `pattern`, in order. "*", "?" and "[...]" stand for what is
// between two "/"; "\" takes the next character for itself. Only folders that match are listed.
std::vector<std::string> Glob(const Place& pattern);

}  // namespace bucketline::tf
