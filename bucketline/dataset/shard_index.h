// Shard index: the samples of shards as the records of one source.
#pragma once

#include <string>
#include <vector>

#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/source.h"
#include "bucketline/records/shard_format.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Which shards, and where their keys lie.
struct ShardSet {
  const ShardFormat* format = nullptr;
  std::shared_ptr<ObjectStore> store;
  std::string source;               // URI of the folder, or prefix, that all of them lie below
  std::vector<ObjectInfo> objects;  // different ones, as they were listed
};

// Scans the shards, sixteen at a time, each in a window of a few megabytes. A record for each sample, with the parts of
// options.parts; labels of the member options.labels names. Tells options.listing_progress of the samples.
// By options.missing a sample without one of the parts is an error or left out; by options.damaged, damage is an error
// naming shard and offset, or is logged and what it touches left out.
// Throws also: kInvalidArgument when no sample is left, or two have one key; what the store says.
Source IndexShards(Runtime& runtime, const ShardSet& shards, const DatasetOptions& options);

}  // namespace bucketline
