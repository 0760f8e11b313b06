#include "bucketline/records/recordio_format.h"

#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bucketline/records/recordio.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kImageHeader = 24;  // flag, label, id, id2
constexpr uint32_t kMostLabels = 1 << 16;

LabelValue NumberOf(float label) {
  // Beyond this a float holds whole numbers only, and says little of which.
  if (std::trunc(label) == label && std::abs(label) <= 0x1p53f) return static_cast<int64_t>(label);
  return static_cast<double>(label);
}

class RecordIoScanner {
 public:
  RecordIoScanner(ShardBytes& shard, std::string_view label, SampleSink& sink)
      : shard_(shard), label_(label), sink_(sink) {}

  void Run() {
    for (; at_ < shard_.size(); ++number_) {
      const uint64_t begin = at_;
      const auto [piece, body, length] = NextPiece();
      if (piece == RecordIoFlag::kWhole) {
        Take(begin, body, length);
        continue;
      }
      PassOtherPieces(piece);
      sink_.Skip(
          {begin,
           fmt::format("record {} is stored in pieces, which are not put together; write the shard anew "
                       "without it, or as tar",
                       number_)});
    }
  }

 private:
  struct Part {
    RecordIoFlag piece;
    uint64_t body;  // offset
    uint64_t length;
  };

  Part NextPiece() {
    ByteReader reader(shard_.At(at_, kRecordIoHeadSize));
    if (reader.Fixed32() != kRecordIoMagic) {
      throw ShardDamage(at_, "no record begins here: its magic number is wrong, or the file is no RecordIO");
    }
    const uint32_t word = reader.Fixed32();
    const Part part{.piece = static_cast<RecordIoFlag>(word >> 29),
                    .body = at_ + kRecordIoHeadSize,
                    .length = word & ((1u << 29) - 1)};
    if (part.piece > RecordIoFlag::kLast)
      throw ShardDamage(at_, fmt::format("a record has the unknown flag {}", word >> 29));
    if (part.length > shard_.size() - part.body) {
      throw ShardDamage(
          at_, fmt::format("record {} has {} bytes, and the shard ends after {} of them: it was cut off",
                           number_, part.length, shard_.size() - part.body));
    }
    at_ = part.body + (part.length + 3) / 4 * 4;
    return part;
  }

  void PassOtherPieces(RecordIoFlag piece) {
    while (piece != RecordIoFlag::kLast) {
      const uint64_t begin = at_;
      piece = NextPiece().piece;
      if (piece == RecordIoFlag::kMiddle || piece == RecordIoFlag::kLast) continue;
      throw ShardDamage(
          begin, fmt::format("record {} is stored in pieces, and another begins before its last", number_));
    }
  }

  void Take(uint64_t begin, uint64_t body, uint64_t length) {
    if (length < kImageHeader) return TooShort(begin, length);
    ByteReader reader(shard_.At(body, kImageHeader));
    const uint32_t labels = reader.Fixed32();
    const auto first = std::bit_cast<float>(reader.Fixed32());
    const uint64_t id = reader.Fixed64();
    const uint64_t header = kImageHeader + uint64_t{labels} * sizeof(float);
    if (labels > kMostLabels || length < header) return TooShort(begin, length);
    ShardMember image{.name = "image", .offset = body + header, .length = length - header};
    ShardMember label{.name = "label"};
    label.no_part = "is a number";
    if (label_ == label.name) label.value = labels == 0 ? NumberOf(first) : List(body + kImageHeader, labels);
    ShardMember number{.name = "id"};
    number.no_part = "is a number";
    if (label_ == number.name) number.value = static_cast<int64_t>(id);
    sink_.Take({.key = NumberedKey(number_),
                .offset = begin,
                .members = {std::move(image), std::move(label), std::move(number)}});
  }

  LabelValue List(uint64_t offset, uint32_t count) {
    ByteReader reader(shard_.At(offset, uint64_t{count} * sizeof(float)));
    if (count == 1) return NumberOf(std::bit_cast<float>(reader.Fixed32()));
    std::vector<double> values;
    while (!reader.done()) values.push_back(std::bit_cast<float>(reader.Fixed32()));
    return values;
  }

  void TooShort(uint64_t begin, uint64_t length) {
    sink_.Skip({begin, fmt::format("record {} has {} bytes, too few for the header of an image record",
                                   number_, length)});
  }

  ShardBytes& shard_;
  const std::string_view label_;
  SampleSink& sink_;
  uint64_t at_ = 0;
  uint64_t number_ = 0;
};

}  // namespace

void ScanRecordIo(ShardBytes& shard, std::string_view label, SampleSink& sink) {
  RecordIoScanner(shard, label, sink).Run();
}

}  // namespace bucketline
