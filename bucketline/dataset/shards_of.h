// ShardsOf: which records of a dataset lie together in one object.
#pragma once

#include "bucketline/dataset/dataset.h"
#include "bucketline/sampler/shard_table.h"

namespace bucketline {

// By the object of each record's first part. Looks at every record once. Throws kInvalidArgument: there are none, or more
// than 2^32 - 1; kCorruptData when the manifest is.
ShardTable ShardsOf(const Dataset& dataset);

}  // namespace bucketline
