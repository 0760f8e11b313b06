// The headers of a tar archive: POSIX.1-2001 (pax), which is ustar with extended records where those fields are too small.
#pragma once

#include <cstdint>
#include <string>

#include "bucketline/job/artifact_tree.h"

namespace bucketline {

constexpr uint64_t kTarBlock = 512;

// The blocks that stand before the entry's content. Owners are not told: they mean nothing elsewhere.
std::string TarHeader(const ArtifactEntry& entry);

// Zeros that fill the last block of a content.
std::string TarPadding(uint64_t size);

// The two empty blocks at the end of an archive.
std::string TarEnd();

}  // namespace bucketline
