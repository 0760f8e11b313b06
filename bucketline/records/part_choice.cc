#include "bucketline/records/part_choice.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/crc32c.h"
#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// The first of `names` that the sample has and that can be a part; else the first that it has; nullptr without one.
const ShardMember* FirstOf(const std::vector<std::string>& names, const ShardSample& sample) {
  const ShardMember* first = nullptr;
  for (const std::string& name : names) {
    const ShardMember* member = FindMember(sample, name);
    if (member != nullptr && !member->no_part) return member;
    if (first == nullptr) first = member;
  }
  return first;
}

std::string NamesOf(const ShardSample& sample) {
  std::vector<std::string_view> names;
  names.reserve(sample.members.size());
  for (const ShardMember& member : sample.members) names.push_back(member.name);
  return names.empty() ? "none" : fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

}  // namespace

PartChoice PartChoice::Parse(std::string_view text) {
  const size_t equals = text.find('=');
  PartChoice choice;
  std::string_view rest = equals == std::string_view::npos ? text : text.substr(equals + 1);
  for (bool more = true; more;) {
    const size_t end = rest.find(';');
    choice.members.emplace_back(rest.substr(0, end));
    more = end != std::string_view::npos;
    if (more) rest.remove_prefix(end + 1);
  }
  choice.name = equals == std::string_view::npos ? choice.members.front() : text.substr(0, equals);
  const auto is_empty = [](const std::string& word) { return word.empty(); };
  if (choice.name.empty() || std::any_of(choice.members.begin(), choice.members.end(), is_empty)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("\"{}\" names no part: write \"jpg;png\", or \"image=jpg;png\" to name it", text));
  }
  return choice;
}

PartChoice ImageChoice(const ShardFormat& format) {
  return {.name = "data", .members = {format.image_members.begin(), format.image_members.end()}};
}

std::variant<Record, std::string> RecordOfSample(const RecordPart& shard, const ShardSample& sample,
                                                 const std::vector<PartChoice>& choices) {
  Record record{.key = fmt::format("{}/{}", shard.object_key, sample.key), .parts = {}};
  for (const PartChoice& choice : choices) {
    const ShardMember* member = FirstOf(choice.members, sample);
    if (member == nullptr) {
      return fmt::format("the sample \"{}\" at byte {} has no {}; its members are {}", sample.key,
                         sample.offset, fmt::join(choice.members, " or "), NamesOf(sample));
    }
    if (member->no_part) {
      return fmt::format("the member \"{}\" of the sample \"{}\" at byte {} {}, and a part needs bytes",
                         member->name, sample.key, sample.offset, *member->no_part);
    }
    RecordPart& part = record.parts.emplace_back(shard);
    part.offset = member->offset;
    part.length = member->length;
    if (member->bytes) part.crc32c = Crc32cOf(*member->bytes);
  }
  return record;
}

const ShardMember* FindMember(const ShardSample& sample, std::string_view name) {
  const auto found = std::find_if(sample.members.begin(), sample.members.end(),
                                  [&](const ShardMember& member) { return member.name == name; });
  return found == sample.members.end() ? nullptr : &*found;
}

}  // namespace bucketline
