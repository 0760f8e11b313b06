// Reading a range of one file into a sink.
#pragma once

#include "bucketline/store/call_tracker.h"
#include "bucketline/store/file_root.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Blocks. A file that changes while it is read is kObjectChanged, never mixed bytes.
ObjectInfo ReadFileObject(const FileRoot& root, const GetRequest& request, GetSink& sink,
                          const CallStop& stop);

}  // namespace bucketline
