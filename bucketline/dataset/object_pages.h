// Object pages: what lies below a prefix, a page at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bucketline/base/uri.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/store/object_store.h"
#include "bucketline/store/parallel_list.h"

namespace bucketline {

// Calls `take` for each page in order, with versions where options.pin needs them, until it returns false. Throws what
// the store says.
void ForEachPage(ObjectStore& store, std::string prefix, const DatasetOptions& options,
                 const std::function<bool(std::vector<ObjectInfo> objects)>& take);

// The same for all pages of the prefix `uri` in `ranges`, many requested at a time (of files one: a walk through folders
// is not waiting), in any order.
void ForEachPageInAnyOrder(ObjectStore& store, const Uri& uri, std::vector<KeyRange> ranges,
                           const DatasetOptions& options,
                           const std::function<void(ListedRange listed)>& take);

}  // namespace bucketline
