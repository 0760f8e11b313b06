// FileStore: the files below a folder as objects; keys are relative paths with "/".
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "bucketline/store/object_store.h"

namespace bucketline {

// `root` must exist when it is read; writers make folders as needed. Keys that would leave the root ("..",
// absolute, empty segments, or through a link that points outside) are kInvalidArgument. Commit is temp file,
// fsync, rename. A folder is not an object; neither are the temporary files of writers.
std::unique_ptr<ObjectStore> MakeFileStore(std::string root, size_t threads = 4);

}  // namespace bucketline
