// MDS: shards of MosaicML Streaming, version 2. A shard is the number of samples, where each begins and where the last
// ends (4 bytes each), a JSON object that names the columns, the samples. A sample is the sizes of its columns that vary
// (4 bytes each), then the columns. All little-endian. Source: streaming/base/format/mds/writer.py.
#pragma once

#include <string_view>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

// A sample's key is its number in the shard; its members are its columns. Numbers have values: those of numpy's types, and
// "str_int" and its like as text. Skipped: a sample whose sizes do not add up.
// Throws ShardDamage for a table or an object that makes no sense, and a shard that is cut off; kUnsupported for a
// compressed shard and another version.
void ScanMds(ShardBytes& shard, std::string_view label, SampleSink& sink);

}  // namespace bucketline
