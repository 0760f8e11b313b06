#include "bucketline/records/hybrid_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/records/shard_scan.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr unsigned kByteBits = 8;
constexpr unsigned kWidest = 32;
constexpr uint64_t kGroup = 8;  // values
constexpr uint64_t kMostGroups = uint64_t{1} << 32;

}  // namespace

HybridReader::HybridReader(std::string bytes, unsigned width, uint64_t offset)
    : bytes_(std::move(bytes)), width_(width), offset_(offset) {
  if (width > kWidest) throw ShardDamage(offset, "numbers of more than 32 bits are none of Parquet's");
}

uint32_t HybridReader::Next() {
  while (left_ == 0) NextRun();
  --left_;
  return packed_ ? Packed() : value_;
}

void HybridReader::NextRun() {
  ByteReader reader(std::string_view(bytes_).substr(at_));
  try {
    const uint64_t header = reader.Varint();
    packed_ = (header & 1) != 0;
    if (packed_) {
      // The last group may have been cut to the bytes that are needed.
      const uint64_t groups = std::min(header >> 1, kMostGroups);
      const uint64_t whole = width_ == 0 ? 0 : std::min<uint64_t>(groups, reader.left()) * width_;
      const uint64_t size = std::min<uint64_t>(whole, reader.left());
      first_bit_ = (bytes_.size() - reader.left()) * kByteBits;
      left_ = width_ == 0 ? groups * kGroup : std::min(groups * kGroup, size * kByteBits / width_);
      reader.Take(size);
    } else {
      left_ = header >> 1;
      value_ = 0;
      for (unsigned bit = 0; bit < width_; bit += kByteBits) value_ |= uint32_t{reader.Byte()} << bit;
    }
  } catch (const Error&) {
    throw ShardDamage(offset_, "levels or indices end too early: the page is damaged");
  }
  at_ = bytes_.size() - reader.left();
}

uint32_t HybridReader::Packed() {
  uint64_t window = 0;
  const size_t byte = first_bit_ / kByteBits;
  const size_t count = std::min<size_t>(sizeof window, bytes_.size() - byte);
  for (size_t i = 0; i < count; ++i)
    window |= uint64_t{static_cast<uint8_t>(bytes_[byte + i])} << (i * kByteBits);
  window >>= first_bit_ % kByteBits;
  first_bit_ += width_;
  return static_cast<uint32_t>(window & ((uint64_t{1} << width_) - 1));
}

}  // namespace bucketline
