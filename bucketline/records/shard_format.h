// Shard formats: the registry of what can be read besides raw objects. A format is one scanner and one line here.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

struct ShardFormat {
  std::string_view name;  // as in DatasetOptions::format
  // Whether an object with this key is a shard of the format, by its name; keys of no format are raw objects.
  bool (*owns)(std::string_view key);
  // Gives every sample to `sink`; values for the member called `label` ("": none). Throws ShardDamage and what the
  // shard and the sink throw.
  void (*scan)(ShardBytes& shard, std::string_view label, SampleSink& sink);
  // The members that are the image where nobody says which: the first that a sample has.
  std::span<const std::string_view> image_members;
};

// nullptr: there is none of that name.
const ShardFormat* FindShardFormat(std::string_view name);

// By the key's ending; nullptr: a raw object.
const ShardFormat* ShardFormatOf(std::string_view key);

// "tar | tfrecord | ...": for messages.
std::string ShardFormatNames();

}  // namespace bucketline
