// Pack: a dataset's records into shards, and the index of them: written once, read at the speed of large objects.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "bucketline/base/units.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/pack/pack_share.h"

namespace bucketline {

struct PackOptions {
  std::string format = "tar";            // tar | tfrecord | mds (records/shard_encoder.h)
  uint64_t shard_size = 256_MiB;         // the most bytes of a shard
  std::optional<uint64_t> shuffle = {};  // seed of an exact global shuffle; absent: the dataset's order
  // Images become JPEGs whose short side has so many pixels; 0: bytes are copied as they are. An image that is not larger
  // keeps its size, and a JPEG then its bytes. EXIF orientation is applied, other metadata is lost.
  int short_side = 0;
  int quality = 90;  // of those JPEGs, 1..100
  // Records whose bytes are bad (a wrong checksum; with short_side, no image) are left out, up to this share of all.
  bool skip_bad = false;
  double max_skipped = 0.01;
  // Bytes that records on their way, parts of uploads and, with short_side, pixels may take. What a manifest takes is not
  // counted.
  uint64_t memory = 1_GiB;
  size_t threads = 0;        // for pixels; 0: one per CPU
  size_t max_requests = 64;  // reads in flight
  size_t max_shards = 4;     // written at a time, where memory allows
  bool verify = true;        // read each shard back, and compare its CRC32C with what was written
  // These shards alone, and no index: other processes make the others. A call without it then keeps what is there, makes what is
  // missing, and writes the index.
  std::optional<PackShare> only = {};
  std::optional<S3Options> s3 = {};  // of the place that is written to; absent: the Runtime's
  // Totals of the dataset's records so far, what was done before included; on engine threads, one call at a time.
  std::function<void(uint64_t records, uint64_t bytes)> progress = {};
  std::function<void(const std::string& uri, const Error& why)> skipped = {};  // likewise
};

// What was done; of the shards of `only` where it was given.
struct PackReport {
  uint64_t records = 0;  // in the shards
  uint64_t skipped = 0;
  uint64_t shards = 0;
  uint64_t kept_shards = 0;    // of those: they were there from a run before
  uint64_t bytes_read = 0;     // of records, by this run
  uint64_t bytes_written = 0;  // of shards, by this run
  uint64_t shard_bytes = 0;    // of all shards
  std::string index;           // URI of the manifest; "" with `only`
};

// Writes below `out`, "s3://bucket/packed/" or a folder:
//   pack.json              first: what is packed and how; the same call with the same data goes on where it was killed
//   shard-000000.tar, ...  in order; each appears whole or not at all
//   shard-000000.tar.manifest  after its shard: the saved index of it; a shard that has one is not written again
//   index.json             of mds: what MosaicML Streaming reads
//   index.manifest         last: the saved index of all, with the keys and labels of the dataset. Opened, it gives the
//                          same batches and splits as the dataset did. Its source is the bucket that is written to, with
//                          the prefix that the keys have
// The bytes of the shards depend on the dataset, its labels and the options that pack.json names alone.
//
// Throws, before anything is read: kInvalidArgument for options out of range, a record that is larger than a shard may be
// (naming it), several parts with short_side, two records of one key, and a place inside the dataset or the other way
// round; kAlreadyExists when something else is there, another pack too (naming what differs); kResourceExhausted when the
// memory is too small, naming the least; what the store says of a place that cannot be written to. Later: what the stores
// say; kCorruptData for a bad record (unless skip_bad), for too many of them, and for a shard that does not read back;
// kCancelled when stopped. What is done then stays.
PackReport Pack(const Dataset& dataset, std::string_view out, const PackOptions& options = {},
                const std::stop_token& stop = {});

// How many shards there would be: a function of the dataset and the options that pack.json names. Throws as Pack does for these.
uint64_t CountPackShards(const Dataset& dataset, const PackOptions& options = {});

}  // namespace bucketline
