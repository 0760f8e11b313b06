// Repeats: whether one object stands in a dataset twice.
#pragma once

#include "bucketline/dataset/dataset.h"

namespace bucketline {

// Throws kInvalidArgument naming the URI of the first part of two records, and their sources. Holds 16 bytes
// a record meanwhile, and nothing when the sources' prefixes exclude it.
void CheckNoRepeats(const Dataset& dataset);

}  // namespace bucketline
