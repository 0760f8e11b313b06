// Writing one file so that it appears whole or not at all.
#pragma once

#include <memory>
#include <string>

#include "bucketline/store/file_store.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Writes a temporary file next to its place. `root` is made when missing. Commit: fsync, rename, fsync of the
// folder; the rename alone where it need only be visible. Folders that were made for an aborted file are removed again if
// still empty. Throws as OpenWriter does.
std::unique_ptr<ObjectWriter> MakeFileWriter(const std::string& root, std::string key, bool if_absent,
                                             FileCommit commit, std::string uri);

}  // namespace bucketline
