// FindObjects: the sizes and ETags of objects that are named one by one, by a manifest say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bucketline/channel/text_pool.h"
#include "bucketline/dataset/dataset.h"

namespace bucketline {

struct FoundObjects {
  Dataset objects;                // each once, in the order of their URIs
  std::vector<uint32_t> numbers;  // of each URI that was given, its object's
};

// Asks the stores for each object of `uris`, at least one, many at a time: within options.s3, .pin, .stop; .listing_progress
// gets the objects found so far. Throws what the stores say, naming the object and `place(i)`, where its URI stood ("line
// 3"); kInvalidArgument for what is no URI of an object; kInvalidArgument for kVersion; kUnsupported for more than 2^31 objects.
FoundObjects FindObjects(Runtime& runtime, const TextPool& uris,
                         const std::function<std::string(size_t index)>& place,
                         const DatasetOptions& options);

}  // namespace bucketline
