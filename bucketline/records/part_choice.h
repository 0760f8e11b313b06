// Part choice: which members of a shard's samples become the parts of a record.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bucketline/records/manifest.h"
#include "bucketline/records/shard_format.h"
#include "bucketline/records/shard_scan.h"

namespace bucketline {

// One part of every record, and what it may be: the first of these members that a sample has, and that has bytes.
struct PartChoice {
  std::string name;
  std::vector<std::string> members;

  // "image=jpg;png", or "jpg;png", whose name is the first member. Throws kInvalidArgument for a name or a member that
  // is empty.
  static PartChoice Parse(std::string_view text);
};

// The choice where none is given: the image, under the name that a raw object has.
PartChoice ImageChoice(const ShardFormat& format);

// The record of `sample` with a part for each choice, or why it has none. Its key is the shard's, "/" and the sample's.
// `shard` is the object, as it was listed.
std::variant<Record, std::string> RecordOfSample(const RecordPart& shard, const ShardSample& sample,
                                                 const std::vector<PartChoice>& choices);

// The member of that name; nullptr without one.
const ShardMember* FindMember(const ShardSample& sample, std::string_view name);

}  // namespace bucketline
