// Shard encoders: samples to the bytes of a shard; what the scanners of shard_format.h read. A format is one encoder and
// one line in the registry here. Pure: the same samples give the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bucketline/records/manifest.h"

namespace bucketline {

// What the samples of all shards of a pack have in common.
struct PackSchema {
  // Of the parts of a sample. "" in a tar: the only part, a member that is named by its extension alone.
  std::vector<std::string> part_names = {};
  bool jpeg = false;  // every part is a JPEG
  LabelKind label = LabelKind::kNone;
  size_t label_width = 1;   // of kVector
  bool classes = false;     // samples have the name of their class
  uint64_t shard_size = 0;  // the most bytes of a shard
};

struct PartToPack {
  std::string extension = {};   // "jpg"; of a tar's member
  uint64_t length = 0;          // of the bytes
  std::string_view bytes = {};  // not needed to know the size of a sample
  uint32_t crc32c = 0;          // of the bytes
};

using LabelToPack = std::variant<std::monostate, int64_t, float, std::vector<float>>;

struct SampleToPack {
  uint64_t number = 0;     // of its record in the pack, which names it where the format has names
  std::string key = {};    // of its record
  LabelToPack label = {};  // as the schema says
  std::string class_name = {};
  std::vector<PartToPack> parts = {};  // one for each of the schema
};

// Encodes one shard. Not thread-safe.
class ShardEncoder {
 public:
  using Emit = std::function<void(std::string_view bytes)>;  // in order; the view lives as long as the call

  virtual ~ShardEncoder() = default;
  virtual void Add(const SampleToPack& sample, const Emit& emit) = 0;
  // Ends the shard, which has had a sample. Where the bytes of the parts begin: of the first sample's parts, of the
  // second's, ...
  virtual std::vector<uint64_t> Finish(const Emit& emit) = 0;
};

struct ShardEncoding {
  std::string_view name;       // that of its ShardFormat
  std::string_view extension;  // of the shards' names
  // Throws kInvalidArgument naming a part whose name the format cannot hold.
  void (*check)(const PackSchema& schema);
  // Bytes that the sample adds to a shard, by the lengths of its parts; and those that a shard has besides.
  uint64_t (*sample_size)(const PackSchema& schema, const SampleToPack& sample);
  uint64_t (*shard_overhead)(const PackSchema& schema);
  uint64_t largest_part;   // bytes
  uint64_t largest_shard;  // bytes
  bool holds_shard;        // the encoder emits nothing before Finish: it holds the whole shard until then
  std::unique_ptr<ShardEncoder> (*make)(const PackSchema& schema);
};

extern const ShardEncoding kTarEncoding;
extern const ShardEncoding kTfRecordEncoding;
extern const ShardEncoding kMdsEncoding;

// nullptr: no format of that name is written.
const ShardEncoding* FindShardEncoding(std::string_view name);

// "tar | tfrecord | mds": for messages.
std::string ShardEncodingNames();

// A JSON object of the sample's key, label and class.
std::string SampleJson(const PackSchema& schema, const SampleToPack& sample);

}  // namespace bucketline
