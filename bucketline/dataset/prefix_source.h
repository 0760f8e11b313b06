// Prefix source: the objects that lie below a prefix, listed.
#pragma once

#include "bucketline/base/uri.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/source.h"

namespace bucketline {

// Raw objects below the prefix; or, where there are none and nobody said what it holds, the shards.
// `options.listing_progress` is told of each page's objects.
Source ListPrefix(Runtime& runtime, const Uri& uri, const DatasetOptions& options);

}  // namespace bucketline
