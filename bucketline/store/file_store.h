// FileStore: the files below a folder as objects; keys are relative paths with "/".
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "bucketline/store/object_store.h"

namespace bucketline {

constexpr size_t kFileThreads = 4;  // that read

// What a committed file outlives: a crash of the machine, which takes two flushes to disk a file, or of the process alone,
// for copies that can be made again.
enum class FileCommit { kDurable, kVisible };

// `root` must exist when it is read; writers make folders as needed. Keys that would leave the root ("..",
// absolute, empty segments, or through a link that points outside) are kInvalidArgument. Commit is temp file,
// fsync where it is durable, rename. A folder is not an object; neither are the temporary files of writers.
std::unique_ptr<ObjectStore> MakeFileStore(std::string root, size_t threads = kFileThreads,
                                           FileCommit commit = FileCommit::kDurable);

}  // namespace bucketline
