#include "bucketline/records/thrift_reader.h"

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr int kDeepest = 32;  // structs and lists in each other; Parquet's own are 5 deep
constexpr int64_t kLargestId = 32767;
constexpr int kLongForm = 15;
constexpr uint64_t kDoubleBytes = 8;
constexpr uint64_t kUuidBytes = 16;

[[noreturn]] void Wrong(const char* what) {
  throw Error(ErrorCode::kCorruptData, fmt::format("a Thrift structure {}", what));
}

ThriftType TypeOf(unsigned bits) {
  if (bits > static_cast<unsigned>(ThriftType::kUuid)) Wrong("has a field of an unknown type");
  return static_cast<ThriftType>(bits);
}

}  // namespace

int64_t ThriftReader::Integer() {
  const uint64_t zigzag = bytes_.Varint();
  return static_cast<int64_t>(zigzag >> 1 ^ (~(zigzag & 1) + 1));
}

size_t ThriftReader::ListHeader(ThriftType* element) {
  const uint8_t byte = bytes_.Byte();
  *element = TypeOf(byte & 15);
  const uint64_t size = byte >> 4 == kLongForm ? bytes_.Varint() : byte >> 4;
  if (size > left()) Wrong("has a list that is longer than itself");  // each element has a byte at least
  return size;
}

void ThriftReader::Skip(ThriftType type, int depth, bool in_list) {
  if (depth > kDeepest) Wrong("is too deep");
  ThriftType element = ThriftType::kStop;
  switch (type) {
    case ThriftType::kTrue:
    case ThriftType::kFalse:
      if (in_list) bytes_.Byte();
      return;
    case ThriftType::kByte:
      bytes_.Byte();
      return;
    case ThriftType::kI16:
    case ThriftType::kI32:
    case ThriftType::kI64:
      bytes_.Varint();
      return;
    case ThriftType::kDouble:
      bytes_.Take(kDoubleBytes);
      return;
    case ThriftType::kBinary:
      bytes_.Sized();
      return;
    case ThriftType::kUuid:
      bytes_.Take(kUuidBytes);
      return;
    case ThriftType::kStruct:
      return SkipStruct(depth);
    case ThriftType::kList:
    case ThriftType::kSet:
      for (size_t left = ListHeader(&element); left > 0; --left) Skip(element, depth + 1, true);
      return;
    case ThriftType::kMap: {
      const uint64_t size = bytes_.Varint();
      if (size == 0) return;
      const uint8_t types = bytes_.Byte();
      if (size > left()) Wrong("has a map that is longer than itself");
      for (uint64_t i = 0; i < size; ++i) {
        Skip(TypeOf(types >> 4), depth + 1, true);
        Skip(TypeOf(types & 15), depth + 1, true);
      }
      return;
    }
    case ThriftType::kStop:
      break;
  }
  Wrong("holds what has no value");
}

void ThriftReader::SkipStruct(int depth) {
  for (;;) {
    const uint8_t byte = bytes_.Byte();
    if (byte == 0) return;
    if (byte >> 4 == 0) Integer();  // the field's number
    Skip(TypeOf(byte & 15), depth + 1, false);
  }
}

bool ThriftStruct::Next() {
  if (!taken_) reader_.Skip(type_, 0, false);
  const uint8_t byte = reader_.bytes_.Byte();
  if (byte == 0) return false;
  type_ = TypeOf(byte & 15);
  if (type_ == ThriftType::kStop) Wrong("has a field of no type");
  id_ = byte >> 4 == 0 ? reader_.Integer() : id_ + (byte >> 4);
  if (id_ < 0 || id_ > kLargestId) Wrong("has a field of an impossible number");
  taken_ = false;
  return true;
}

void ThriftStruct::Take(bool is_right) {
  if (!is_right)
    throw Error(ErrorCode::kCorruptData, fmt::format("field {} of a Thrift structure has another type", id_));
  taken_ = true;
}

int64_t ThriftStruct::Integer() {
  Take(type_ == ThriftType::kI16 || type_ == ThriftType::kI32 || type_ == ThriftType::kI64);
  return reader_.Integer();
}

uint64_t ThriftStruct::Count() {
  const int64_t value = Integer();
  if (value < 0)
    throw Error(ErrorCode::kCorruptData, fmt::format("field {} of a Thrift structure is {}", id_, value));
  return static_cast<uint64_t>(value);
}

bool ThriftStruct::Flag() {
  Take(type_ == ThriftType::kTrue || type_ == ThriftType::kFalse);
  return type_ == ThriftType::kTrue;
}

std::string_view ThriftStruct::Text() {
  Take(type_ == ThriftType::kBinary);
  return reader_.Text();
}

void ThriftStruct::Enter() { Take(type_ == ThriftType::kStruct); }

size_t ThriftStruct::List(ThriftType element) {
  Take(type_ == ThriftType::kList);
  ThriftType found = ThriftType::kStop;
  const size_t size = reader_.ListHeader(&found);
  if (size > 0 && found != element) Take(false);
  return size;
}

}  // namespace bucketline
