// What becomes of a job's artefacts in the store.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>

#include "bucketline/job/artifact_tree.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// The tree as one .tar.gz, streamed into the object `key`: memory does not grow with it. Throws what the store and the
// file system say, kObjectChanged when a file is shorter than it was; then there is no object.
ObjectInfo UploadArchive(const ArtifactTree& tree, ObjectStore& store, const std::string& key,
                         const std::stop_token& stop = {});

// Each file as an object of its own: `prefix` + its name. A link is what it points at, if that is a file; folders are not
// objects.
void UploadFiles(const ArtifactTree& tree, ObjectStore& store, const std::string& prefix,
                 const std::stop_token& stop = {});

// Writes the file as the object `key`.
ObjectInfo UploadFile(const std::string& path, ObjectStore& store, const std::string& key,
                      const std::stop_token& stop = {});

}  // namespace bucketline
