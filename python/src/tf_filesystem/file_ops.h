// The tables of files, as TensorFlow calls them: `self` is an ObjectReader or an ObjectFile.
#pragma once

#include "src/tf_filesystem/plugin_abi.h"

namespace bucketline::tf {

extern const RandomAccessFileOps kRandomAccessFileOps;
extern const WritableFileOps kWritableFileOps;

}  // namespace bucketline::tf
