// Parquet: columns of bytes whose pages are neither compressed nor encoded in other ways than plain or by a dictionary. Each
// value then stands in the file as it is. Source: parquet-format/README.md.
#pragma once

#include <string_view>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

// A sample is a row, under its number in the file; its members are those columns that the sink wants, and the label. Columns
// of structs go by their path, "image.path"; a field "bytes" of a struct by the struct's name too: "image", as Hugging Face
// stores its images. Numbers and lists are no parts, nor is a null. Values of booleans, integers, floats and texts.
// Skipped: what follows damage in its row group. Throws ShardDamage for a footer that makes no sense; kUnsupported for a
// wanted column that is compressed, encrypted or encoded otherwise, naming it, and for a label that has no values.
void ScanParquet(ShardBytes& shard, std::string_view label, SampleSink& sink);

}  // namespace bucketline
