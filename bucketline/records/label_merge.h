// Merging labels of several manifests: one meaning for all of them.
#pragma once

#include <vector>

#include "bucketline/records/manifest.h"

namespace bucketline {

// The manifests with labels that mean the same in each. Classes are merged by name: where they differ, all
// get their union sorted bytewise. Throws kInvalidArgument naming the sources of two manifests whose labels
// are of different kinds or widths, or one-hot of different classes.
std::vector<Manifest> MergeLabels(std::vector<Manifest> manifests);

}  // namespace bucketline
