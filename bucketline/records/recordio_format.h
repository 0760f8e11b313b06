// RecordIO: MXNet's image records. A record is the magic number, its length in 29 bits below 3 bits of a flag, the bytes,
// padding to a multiple of 4; the bytes begin with a header: flag, label, two ids. All little-endian.
// Sources: dmlc/recordio.h, and IRHeader in mxnet/recordio.py.
#pragma once

#include <string_view>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

// Reads headers alone. A sample is a record, under its number in the shard; its members are "image", "label" (a number, a
// whole one as an integer, or the list of them) and "id".
// Skipped: a record that is stored in pieces, because its bytes hold the magic number, and one too short for its header.
// Throws ShardDamage where no record begins, behind which nothing can be found, and for a shard that ends within one.
void ScanRecordIo(ShardBytes& shard, std::string_view label, SampleSink& sink);

}  // namespace bucketline
