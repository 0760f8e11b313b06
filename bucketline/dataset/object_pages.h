// Object pages: what lies below a prefix, a page at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Calls `take` for each page, with versions where options.pin needs them, until it returns false. Throws what the store
// says.
void ForEachPage(ObjectStore& store, std::string prefix, const DatasetOptions& options,
                 const std::function<bool(std::vector<ObjectInfo> objects)>& take);

}  // namespace bucketline
