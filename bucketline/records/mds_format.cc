#include "bucketline/records/mds_format.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/mds_columns.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kWord = 4;
constexpr uint64_t kLargestObject = uint64_t{16} << 20;  // of the columns' names

// Where each sample begins and the last ends.
std::vector<uint32_t> ReadTable(ShardBytes& shard) {
  const uint64_t samples = ByteReader(shard.At(0, kWord)).Fixed32();
  ByteReader reader(shard.At(kWord, (samples + 1) * kWord));
  std::vector<uint32_t> places;
  places.reserve(samples + 1);
  while (!reader.done()) places.push_back(reader.Fixed32());
  if (!std::is_sorted(places.begin(), places.end()) || places.front() < (samples + 2) * kWord) {
    throw ShardDamage(0, "the table of samples makes no sense: the shard is damaged, or no MDS");
  }
  return places;
}

std::vector<MdsColumn> ReadColumns(ShardBytes& shard, const std::vector<uint32_t>& places) {
  const uint64_t begin = (places.size() + 1) * kWord;
  const uint64_t length = places.front() - begin;
  try {
    if (length > kLargestObject) throw ShardDamage(begin, "the object that names the columns is too large");
    return ReadMdsColumns(shard.At(begin, length));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData) throw;
    throw ShardDamage(begin, error.message());
  }
}

class MdsScanner {
 public:
  MdsScanner(ShardBytes& shard, std::string_view label, SampleSink& sink)
      : shard_(shard),
        label_(label),
        sink_(sink),
        places_(ReadTable(shard)),
        columns_(ReadColumns(shard, places_)) {
    for (const MdsColumn& column : columns_) varying_ += column.size ? 0 : 1;
  }

  void Run() {
    for (size_t i = 0; i + 1 < places_.size(); ++i) Take(i, places_[i], places_[i + 1]);
  }

 private:
  void Take(uint64_t number, uint64_t begin, uint64_t end) {
    if (end > shard_.size()) {
      throw ShardDamage(begin, fmt::format("sample {} ends at {}, and the shard at {}: it was cut off",
                                           number, end, shard_.size()));
    }
    const std::vector<uint64_t> sizes = SizesAt(begin);
    uint64_t at = begin + varying_ * kWord;
    ShardSample sample{.key = NumberedKey(number), .offset = begin, .members = {}};
    for (size_t i = 0; i < columns_.size(); at += sizes[i++]) {
      ShardMember member{.name = columns_[i].name, .offset = at, .length = sizes[i]};
      member.no_part = WhyNoPart(columns_[i]);
      sample.members.push_back(std::move(member));
    }
    if (at != end) {
      sink_.Skip({begin, fmt::format("the columns of sample {} have {} bytes, and it has {}", number,
                                     at - begin, end - begin)});
      return;
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      ShardMember& member = sample.members[i];
      if (member.name != label_ || member.length > kLargestLabelMember) continue;
      member.value = ValueOfMds(columns_[i], shard_.At(member.offset, member.length));
    }
    sink_.Take(std::move(sample));
  }

  std::vector<uint64_t> SizesAt(uint64_t begin) {
    ByteReader reader(shard_.At(begin, varying_ * kWord));
    std::vector<uint64_t> sizes;
    sizes.reserve(columns_.size());
    for (const MdsColumn& column : columns_) sizes.push_back(column.size ? *column.size : reader.Fixed32());
    return sizes;
  }

  ShardBytes& shard_;
  const std::string_view label_;
  SampleSink& sink_;
  const std::vector<uint32_t> places_;
  const std::vector<MdsColumn> columns_;
  uint64_t varying_ = 0;  // columns
};

}  // namespace

void ScanMds(ShardBytes& shard, std::string_view label, SampleSink& sink) {
  try {
    MdsScanner(shard, label, sink).Run();
  } catch (const ShardDamage&) {
    RefuseCompressed(shard);
    throw;
  }
}

}  // namespace bucketline
