#include "bucketline/records/tfrecord_format.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/crc32c.h"
#include "bucketline/base/error.h"
#include "bucketline/records/example_proto.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kHeader = 12;  // length and its CRC
constexpr uint64_t kFooter = 4;   // CRC of the message
constexpr uint64_t kLargestRecord = uint64_t{1} << 30;

template <typename T>
LabelValue ValueOf(const std::vector<T>& list) {
  if (list.size() > 1) return std::vector<double>(list.begin(), list.end());
  if constexpr (std::is_same_v<T, int64_t>) return list.front();
  return static_cast<double>(list.front());
}

// Makes members of the features of a message that begins at `offset` of the shard.
struct MemberMaker {
  uint64_t offset = 0;
  std::string_view message;
  bool is_label = false;

  ShardMember operator()(const std::vector<std::string_view>& list) const {
    ShardMember member;
    if (list.size() != 1) {
      member.no_part =
          list.empty() ? "has no value" : fmt::format("is a list of {} byte strings", list.size());
      return member;
    }
    member.offset = offset + static_cast<uint64_t>(list.front().data() - message.data());
    member.length = list.front().size();
    member.bytes = list.front();
    if (is_label && member.length <= kLargestLabelMember) member.value = std::string(list.front());
    return member;
  }
  ShardMember operator()(const std::vector<int64_t>& list) const { return Numbers(list, "integers"); }
  ShardMember operator()(const std::vector<float>& list) const { return Numbers(list, "floats"); }

  template <typename T>
  ShardMember Numbers(const std::vector<T>& list, std::string_view kind) const {
    ShardMember member;
    member.no_part = fmt::format("is a list of {} {}", list.size(), kind);
    if (is_label && !list.empty()) member.value = ValueOf(list);
    return member;
  }
};

ShardSample SampleOf(std::string_view message, uint64_t offset, std::string_view label) {
  ShardSample sample;
  for (const ExampleFeature& feature : ReadExample(message)) {
    sample.members.push_back(std::visit(MemberMaker{offset, message, feature.name == label}, feature.values));
    sample.members.back().name = feature.name;
  }
  return sample;
}

uint64_t LengthAt(ShardBytes& shard, uint64_t at) {
  const std::string_view header = shard.At(at, kHeader);
  ByteReader reader(header);
  const uint64_t length = reader.Fixed64();
  if (reader.Fixed32() != MaskedCrc32c(Crc32cOf(header.substr(0, 8)))) {
    if (at == 0) RefuseCompressed(shard);
    throw ShardDamage(at, "the length of this record has a wrong CRC, or the file is no TFRecord");
  }
  if (length > kLargestRecord) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("at byte {}: a record of {} bytes; up to {} are read", at, length, kLargestRecord));
  }
  return length;
}

}  // namespace

void ScanTfRecord(ShardBytes& shard, std::string_view label, SampleSink& sink) {
  uint64_t number = 0;
  uint64_t next = 0;
  for (uint64_t at = 0; at < shard.size(); at = next, ++number) {
    const uint64_t length = LengthAt(shard, at);
    const std::string_view body = shard.At(at + kHeader, length + kFooter);
    next = at + kHeader + length + kFooter;
    const std::string_view message = body.substr(0, length);
    if (ByteReader(body.substr(length)).Fixed32() != MaskedCrc32c(Crc32cOf(message))) {
      sink.Skip({at, fmt::format("record {} has a wrong CRC", number)});
      continue;
    }
    ShardSample sample;
    try {
      sample = SampleOf(message, at + kHeader, label);
    } catch (const Error& error) {
      sink.Skip({at, fmt::format("record {} is no tf.train.Example: {}", number, error.message())});
      continue;
    }
    sample.key = NumberedKey(number);
    sample.offset = at;
    sink.Take(std::move(sample));
  }
}

}  // namespace bucketline
