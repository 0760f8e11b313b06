// Thrift reader: the compact protocol, as much of it as the headers of Parquet need. It never leaves its bytes, and all that
// it is not asked for is stepped over. Source: thrift/doc/specs/thrift-compact-protocol.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bucketline/records/varint.h"

namespace bucketline {

enum class ThriftType : uint8_t {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
  kUuid = 13,
};

// Values one after another, as they stand in a list. Every read throws kCorruptData for what is none, and at the end.
class ThriftReader {
 public:
  explicit ThriftReader(std::string_view bytes) : bytes_(bytes) {}

  size_t left() const { return bytes_.left(); }
  int64_t Integer();                                  // of 16, 32 or 64 bits
  std::string_view Text() { return bytes_.Sized(); }  // a view of the bytes given to the constructor

 private:
  friend class ThriftStruct;

  void Skip(ThriftType type, int depth, bool in_list);
  void SkipStruct(int depth);
  // The size of a list or set, and what it holds.
  size_t ListHeader(ThriftType* element);

  ByteReader bytes_;
};

// The fields of one struct, in their order:
//   for (ThriftStruct fields(reader); fields.Next();) if (fields.id() == 3) rows = fields.Count();
// A field whose value nobody takes is stepped over. Every call throws kCorruptData, for a value of another type too.
class ThriftStruct {
 public:
  explicit ThriftStruct(ThriftReader& reader) : reader_(reader) {}

  bool Next();  // false behind the last field
  int64_t id() const { return id_; }

  int64_t Integer();
  uint64_t Count();  // an integer that is not negative
  bool Flag();
  std::string_view Text();
  void Enter();                     // a struct: its fields are next in the reader
  size_t List(ThriftType element);  // its size: so many such elements are next in the reader

 private:
  void Take(bool is_right);

  ThriftReader& reader_;
  int64_t id_ = 0;
  ThriftType type_ = ThriftType::kStop;
  bool taken_ = true;
};

}  // namespace bucketline
