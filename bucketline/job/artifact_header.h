// What stands before an artifact's content in a tar archive: POSIX.1-2001 (pax), which is ustar with extended records where
// its fields are too small.
#pragma once

#include <string>

#include "bucketline/job/artifact_tree.h"

namespace bucketline {

std::string ArtifactHeader(const ArtifactEntry& entry);

}  // namespace bucketline
