#include "bucketline/records/parquet_column.h"

#include <bit>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kSize = 4;  // bytes, before each value that has no fixed length
constexpr uint64_t kLargestHeldPage = uint64_t{64} << 20;  // of indices, and of labels
constexpr unsigned kByteBits = 8;

bool Is(int64_t encoding, ParquetEncoding wanted) { return encoding == static_cast<int64_t>(wanted); }

}  // namespace

ParquetRows::ParquetRows(ShardBytes& shard, ParquetChunkPlace place)
    : shard_(shard), place_(place), pages_(shard, place) {}

void ParquetRows::Damaged(const std::string& what) const {
  throw ShardDamage(page_.header, fmt::format("a page of the column \"{}\" of row group {} {}",
                                              place_.column->name, place_.row_group, what));
}

bool ParquetRows::HasIndices() const {
  return Is(page_.encoding, ParquetEncoding::kRleDictionary) ||
         Is(page_.encoding, ParquetEncoding::kPlainDictionary);
}

bool ParquetRows::NextRow() {
  while (rows_left_ == 0) NextPage();
  --rows_left_;
  return place_.column->max_definition == 0 || levels_.Next() == place_.column->max_definition;
}

void ParquetRows::NextPage() {
  if (ValuesLeft() > 0) Damaged(fmt::format("holds {} values more than it has rows", ValuesLeft()));
  std::optional<ParquetPage> next = pages_.Next();
  if (!next) {
    throw ShardDamage(place_.chunk->offset,
                      fmt::format("the column \"{}\" of row group {} has fewer rows than the group",
                                  place_.column->name, place_.row_group));
  }
  page_ = *std::move(next);
  if (page_.is_dictionary) {
    if (!Is(page_.encoding, ParquetEncoding::kPlain) &&
        !Is(page_.encoding, ParquetEncoding::kPlainDictionary)) {
      Refuse("has a dictionary in " + ParquetEncodingName(page_.encoding));
    }
    return TakeDictionary();
  }
  rows_left_ = page_.rows;
  const auto width = static_cast<unsigned>(std::bit_width(place_.column->max_definition));
  levels_ = HybridReader(std::move(page_.levels), width, page_.header);
  if (!HasIndices()) return TakePage();
  if (page_.length > kLargestHeldPage)
    Damaged(fmt::format("has {} bytes of indices, which is too much", page_.length));
  if (page_.length == 0) {  // every row is null
    indices_ = {};
    return;
  }
  std::string bytes(shard_.At(page_.offset, page_.length));
  const auto bits = static_cast<uint8_t>(bytes.front());
  indices_ = HybridReader(bytes.substr(1), bits, page_.header);
}

uint64_t ParquetRows::NextIndex(uint64_t dictionary_size) {
  const uint64_t index = indices_.Next();
  if (index >= dictionary_size)
    Damaged(fmt::format("has the index {} into a dictionary of {} values", index, dictionary_size));
  return index;
}

void ParquetRows::Finish() const {
  const uint64_t more = rows_left_ + ValuesLeft();
  if (more > 0) Damaged(fmt::format("holds {} values more than the row group has rows", more));
}

std::optional<ParquetBytes> ParquetPlaces::Next() {
  if (!NextRow()) return std::nullopt;
  if (HasIndices()) return dictionary_[NextIndex(dictionary_.size())];
  if (taken_ == values_.size())
    Damaged(fmt::format("holds {} values, fewer than it has rows", values_.size()));
  return values_[taken_++];
}

void ParquetPlaces::TakePage() {
  if (!Is(page().encoding, ParquetEncoding::kPlain))
    Refuse("is encoded as " + ParquetEncodingName(page().encoding));
  values_ = Walk();
  taken_ = 0;
}

std::vector<ParquetBytes> ParquetPlaces::Walk() {
  std::vector<ParquetBytes> places;
  const uint64_t end = page().offset + page().length;
  const uint64_t fixed = column().fixed_length;
  if (column().type == ParquetType::kFixedBytes) {
    if (fixed == 0) Refuse("holds values of no bytes");
    if (page().length % fixed != 0 || page().length / fixed > page().rows) {
      Damaged(fmt::format("has {} bytes, and at most {} values of {}", page().length, page().rows, fixed));
    }
    for (uint64_t at = page().offset; at < end; at += fixed) places.push_back({at, fixed});
    return places;
  }
  for (uint64_t at = page().offset; at < end;) {
    if (places.size() == page().rows)
      Damaged(fmt::format("holds more values than the {} it is said to have", page().rows));
    if (end - at < kSize) Damaged(fmt::format("ends within the length of value {}", places.size()));
    const uint64_t length = ByteReader(shard().At(at, kSize)).Fixed32();
    at += kSize;
    if (length > end - at)
      Damaged(fmt::format("has {} bytes for value {}, whose length is {}", end - at, places.size(), length));
    places.push_back({at, length});
    at += length;
  }
  return places;
}

std::optional<LabelValue> ParquetValues::Next() {
  if (!NextRow()) return std::nullopt;
  if (HasIndices()) return dictionary_[NextIndex(dictionary_.size())];
  return TakeValue();
}

void ParquetValues::LoadPage() {
  if (page().length > kLargestHeldPage) {
    Refuse(fmt::format("has {} bytes in one page, which is too much for a label,", page().length));
  }
  values_ = page().length == 0 ? std::string() : std::string(shard().At(page().offset, page().length));
  at_ = 0;
  bit_ = 0;
}

void ParquetValues::TakeDictionary() {
  if (column().type == ParquetType::kBoolean) Damaged("is a dictionary of booleans, which there is none of");
  LoadPage();
  dictionary_.clear();
  while (at_ < values_.size()) dictionary_.push_back(TakeValue());
}

void ParquetValues::TakePage() {
  LoadPage();
  if (column().type == ParquetType::kBoolean && Is(page().encoding, ParquetEncoding::kRle)) {
    const uint64_t size = values_.empty() ? 0 : ByteReader(TakeBytes(kSize)).Fixed32();
    booleans_ = HybridReader(std::string(TakeBytes(size)), 1, page().header);
  } else if (!Is(page().encoding, ParquetEncoding::kPlain)) {
    Refuse("is encoded as " + ParquetEncodingName(page().encoding));
  }
}

std::string_view ParquetValues::TakeBytes(uint64_t size) {
  if (size > values_.size() - at_) Damaged("holds fewer values than it has rows");
  const std::string_view bytes = std::string_view(values_).substr(at_, size);
  at_ += size;
  return bytes;
}

LabelValue ParquetValues::TakeBoolean() {
  if (Is(page().encoding, ParquetEncoding::kRle)) return int64_t{booleans_.Next()};
  if (bit_ / kByteBits >= values_.size()) Damaged("holds fewer values than it has rows");
  const auto byte = static_cast<uint8_t>(values_[bit_ / kByteBits]);
  return int64_t{byte >> bit_++ % kByteBits & 1};
}

LabelValue ParquetValues::TakeValue() {
  switch (column().type) {
    case ParquetType::kBoolean:
      return TakeBoolean();
    case ParquetType::kInt32: {
      const uint32_t value = ByteReader(TakeBytes(sizeof(uint32_t))).Fixed32();
      return column().is_unsigned ? int64_t{value} : int64_t{static_cast<int32_t>(value)};
    }
    case ParquetType::kInt64:
      return static_cast<int64_t>(ByteReader(TakeBytes(sizeof(uint64_t))).Fixed64());
    case ParquetType::kFloat:
      return double{std::bit_cast<float>(ByteReader(TakeBytes(sizeof(float))).Fixed32())};
    case ParquetType::kDouble:
      return std::bit_cast<double>(ByteReader(TakeBytes(sizeof(double))).Fixed64());
    case ParquetType::kBytes:
      return std::string(TakeBytes(ByteReader(TakeBytes(kSize)).Fixed32()));
    case ParquetType::kFixedBytes:
    case ParquetType::kInt96:
      break;
  }
  throw Error(ErrorCode::kInternal, "a column of this type has no values");
}

}  // namespace bucketline
