// Shard listing: which objects the shards are that URIs name.
#pragma once

#include <vector>

#include "bucketline/base/uri.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/shard_index.h"
#include "bucketline/dataset/source.h"

namespace bucketline {

// The format that options.format names, nullptr for "auto" and "objects". Throws kInvalidArgument for another text.
const ShardFormat* AskedFormat(const DatasetOptions& options);

// The format of the shard that `uri` names; nullptr for a prefix, a manifest or a raw object.
const ShardFormat* FormatOfUri(const Uri& uri, const DatasetOptions& options);

// The shards that `uris` name, all in one store. A URI is that of a shard, or a prefix, below which all objects count
// whose names are those of the format. Throws kNotFound for a shard that is not there and a prefix without any.
ShardSet ListShards(Runtime& runtime, const std::vector<Uri>& uris, const ShardFormat& format,
                    const DatasetOptions& options);

}  // namespace bucketline
