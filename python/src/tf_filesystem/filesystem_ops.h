// The table of the file system, as TensorFlow calls it.
#pragma once

#include "src/tf_filesystem/plugin_abi.h"

namespace bucketline::tf {

// `init` sets `self` to a new Engine, which the table's cleanup deletes.
FilesystemOps FilesystemOpsWith(void (*init)(Filesystem*, Status*));

}  // namespace bucketline::tf
