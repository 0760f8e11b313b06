// TFDS source: a folder that TensorFlow Datasets prepared.
#pragma once

#include "bucketline/base/uri.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/source.h"

namespace bucketline {

// Indexes the shards of options.split in the folder of a version, "s3://b/mnist/3.0.1/". Without options.parts the part is
// the one feature that is an image; a label that is a class has the names of its file.
// Throws kInvalidArgument for a split that is none, or when there are several and none is named; for several images; what
// ReadTfdsInfo, IndexShards and the store say.
Source OpenTfds(Runtime& runtime, const Uri& uri, DatasetOptions options);

}  // namespace bucketline
