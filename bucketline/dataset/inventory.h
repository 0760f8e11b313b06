// Inventory: the listing of a bucket that S3 wrote itself (S3 Inventory, as CSV), in place of a listing of our own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bucketline/base/uri.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

struct InventorySummary {
  std::string created;  // when its listing began, as UTC; "" unknown
  size_t files = 0;
};

// Calls `take` with the current objects of `prefix`, some at a time, in no order. `inventory` is the URI of an inventory's
// manifest.json; its files lie in the same bucket. Throws what the store says; kInvalidArgument for the inventory of
// another bucket and one that lacks a field that is needed: Key and Size, ETag for PinMode::kEtag, VersionId for
// kVersion; kUnsupported for ORC and Parquet; kCorruptData naming a file that is damaged.
InventorySummary ReadInventory(Runtime& runtime, const Uri& inventory, const Uri& prefix,
                               const DatasetOptions& options,
                               const std::function<void(std::vector<ObjectInfo> objects)>& take);

}  // namespace bucketline
