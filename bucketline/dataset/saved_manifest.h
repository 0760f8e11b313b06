// Saved manifests: files whose names end in ".manifest".
#pragma once

#include "bucketline/base/uri.h"
#include "bucketline/dataset/dataset.h"

namespace bucketline {

// A local file is mapped: it is open at once however large it is, and processes share its pages. One in a bucket is read
// once for all processes of a machine, which share its pages too (cache/shared_copy.h); from another store all of it is read. Throws what the store says; kCorruptData naming it for what is no manifest.
Manifest ReadManifest(Runtime& runtime, const Uri& uri, const DatasetOptions& options = {});

}  // namespace bucketline
