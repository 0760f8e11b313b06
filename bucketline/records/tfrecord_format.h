// TFRecord: shards of tf.train.Example messages. A record is 8 bytes length, their masked CRC32C, the message, its masked
// CRC32C; all little-endian. Source: tensorflow/core/lib/io/record_writer.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

// Reads the whole shard, and checks it. A sample is a record, under its number in the shard; its members are its features.
// Skipped: a record whose message has a wrong CRC, or does not parse. Throws ShardDamage for a length with a wrong CRC,
// behind which nothing can be found, and a shard that ends within a record.
void ScanTfRecord(ShardBytes& shard, std::string_view label, SampleSink& sink);

}  // namespace bucketline
