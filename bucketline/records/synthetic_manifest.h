// A manifest of plausible records, for measuring.
#pragma once

#include <cstdint>

#include "bucketline/records/manifest.h"

namespace bucketline {

// A function of the number alone: a 60-character key with 16 random hexadecimal digits, in one of 1,000 folders; a random
// ETag and a size of 20 to 420 kB.
Record SyntheticRecord(uint64_t number);

// The records of the numbers below `records`.
Manifest SyntheticManifest(uint64_t records);

}  // namespace bucketline
