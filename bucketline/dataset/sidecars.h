// Reading the sidecar labels of records, many at a time.
#pragma once

#include <vector>

#include "bucketline/dataset/source.h"
#include "bucketline/records/labels.h"
#include "bucketline/records/sidecar.h"

namespace bucketline {

// The label of each record of the sources, in order; at most 64 objects of at most 1 MiB are read at a time.
// An object that is not there is a record without a label. Throws what else the store and ReadSidecar say,
// naming the object.
std::vector<SidecarLabel> ReadSidecars(Runtime& runtime, const DatasetOptions& options,
                                       const std::vector<Source>& sources);

}  // namespace bucketline
