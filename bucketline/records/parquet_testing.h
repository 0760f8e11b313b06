// What tests of Parquet share: small files, written a structure at a time so that each can be made wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/records/thrift_reader.h"
#include "bucketline/records/varint.h"

namespace bucketline::records_testing {

// A struct in Thrift's compact protocol. Fields in ascending order.
class ThriftWriter {
 public:
  ThriftWriter& Integer(int id, int64_t value, ThriftType type = ThriftType::kI64) {
    return Field(id, type, Zigzag(value));
  }
  ThriftWriter& Text(int id, std::string_view text) { return Field(id, ThriftType::kBinary, Sized(text)); }
  ThriftWriter& Flag(int id, bool value) {
    return Field(id, value ? ThriftType::kTrue : ThriftType::kFalse, "");
  }
  ThriftWriter& Struct(int id, const ThriftWriter& value) {
    return Field(id, ThriftType::kStruct, value.Bytes());
  }
  ThriftWriter& List(int id, const std::vector<ThriftWriter>& values) {
    std::string bytes(1, static_cast<char>(0xF0 | static_cast<int>(ThriftType::kStruct)));
    AppendVarint(&bytes, values.size());
    for (const ThriftWriter& value : values) bytes += value.Bytes();
    return Field(id, ThriftType::kList, bytes);
  }
  // `value` as it stands.
  ThriftWriter& Field(int id, ThriftType type, std::string_view value) {
    bytes_ += static_cast<char>((id - last_) << 4 | static_cast<int>(type));
    bytes_ += value;
    last_ = id;
    return *this;
  }
  std::string Bytes() const { return bytes_ + '\0'; }

  static std::string Zigzag(int64_t value) {
    std::string bytes;
    AppendVarint(&bytes, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
    return bytes;
  }
  static std::string Sized(std::string_view text) {
    std::string bytes;
    AppendSized(&bytes, text);
    return bytes;
  }

 private:
  std::string bytes_;
  int last_ = 0;
};

inline std::string Fixed32(uint64_t value) {
  std::string bytes;
  AppendFixed32(&bytes, static_cast<uint32_t>(value));
  return bytes;
}

inline std::string PlainBytes(const std::vector<std::string>& values) {
  std::string bytes;
  for (const std::string& value : values) bytes += Fixed32(value.size()) + value;
  return bytes;
}

inline std::string PlainIntegers(const std::vector<int64_t>& values) {
  std::string bytes;
  for (const int64_t value : values) AppendFixed64(&bytes, static_cast<uint64_t>(value));
  return bytes;
}

// A run of one value for each, of at most 8 bits.
inline std::string Runs(const std::vector<uint8_t>& values) {
  std::string bytes;
  for (const uint8_t value : values) bytes += {2, static_cast<char>(value)};
  return bytes;
}
inline std::string Indices(const std::vector<uint8_t>& values) { return '\x08' + Runs(values); }
inline std::string Levels(const std::vector<uint8_t>& values) {
  const std::string runs = Runs(values);
  return Fixed32(runs.size()) + runs;
}

enum : int64_t { kPlainValues = 0, kIndexValues = 8, kDeltaValues = 6 };

struct TestPage {
  int64_t values = 0;
  int64_t encoding = kPlainValues;
  int64_t size_is_off_by = 0;
  int64_t unpacked_is_off_by = 0;
  int64_t level_encoding = 3;
  std::string statistics = {};
};

inline std::string PageOf(const ThriftWriter& kind, int64_t type, int field, std::string_view content,
                          const TestPage& page) {
  const auto size = static_cast<int64_t>(content.size()) + page.size_is_off_by;
  ThriftWriter header;
  header.Integer(1, type, ThriftType::kI32).Integer(2, size + page.unpacked_is_off_by).Integer(3, size);
  return header.Struct(field, kind).Bytes() + std::string(content);
}

// Of version 1; levels, if any, are at the content's beginning.
inline std::string DataPage(std::string_view content, const TestPage& page) {
  ThriftWriter kind;
  kind.Integer(1, page.values).Integer(2, page.encoding).Integer(3, page.level_encoding).Integer(4, 3);
  if (!page.statistics.empty()) kind.Struct(5, ThriftWriter().Text(1, page.statistics));
  return PageOf(kind, 0, 5, content, page);
}

inline std::string DictionaryPage(std::string_view content, const TestPage& page) {
  return PageOf(ThriftWriter().Integer(1, page.values).Integer(2, page.encoding).Flag(3, false), 2, 7,
                content, page);
}

inline std::string DataPage2(std::string_view levels, std::string_view content, const TestPage& page,
                             bool compressed = false) {
  ThriftWriter kind;
  kind.Integer(1, page.values).Integer(2, 0).Integer(3, page.values).Integer(4, page.encoding);
  kind.Integer(5, static_cast<int64_t>(levels.size())).Integer(6, 0).Flag(7, compressed);
  return PageOf(kind, 3, 8, std::string(levels) + std::string(content), page);
}

enum TestType : int64_t {
  kBooleans,
  kInts32,
  kInts64,
  kInts96,
  kFloats,
  kDoubles,
  kByteArrays,
  kFixedArrays
};
enum TestRepetition : int64_t { kAlways, kMaybe, kMany };

struct TestColumn {
  std::string name;
  int64_t type = kByteArrays;
  int64_t repetition = kAlways;
  std::string group = {};  // the struct that it is a field of, on its own; "": none
  int64_t codec = 0;
  int64_t fixed_length = 0;
  int64_t converted = -1;
  bool encrypted = false;
  std::string file = {};
};

struct TestGroup {
  int64_t rows = 0;
  std::vector<std::string> pages;  // one text a column
};

inline ThriftWriter SchemaOf(const TestColumn& column) {
  ThriftWriter element;
  element.Integer(1, column.type);
  if (column.fixed_length > 0) element.Integer(2, column.fixed_length);
  element.Integer(3, column.repetition).Text(4, column.name);
  if (column.converted >= 0) element.Integer(6, column.converted);
  return element;
}

inline std::string ParquetEnd(const std::string& footer, std::string_view magic = "PAR1") {
  return footer + Fixed32(footer.size()) + std::string(magic);
}

inline std::string ParquetFile(const std::vector<TestColumn>& columns, const std::vector<TestGroup>& groups,
                               std::string_view hugging_face = "") {
  std::string file = "PAR1";
  std::vector<ThriftWriter> schema = {
      ThriftWriter().Text(4, "schema").Integer(5, static_cast<int64_t>(columns.size()))};
  for (const TestColumn& column : columns) {
    if (!column.group.empty())
      schema.push_back(ThriftWriter().Integer(3, kMaybe).Text(4, column.group).Integer(5, 1));
    schema.push_back(SchemaOf(column));
  }
  std::vector<ThriftWriter> row_groups;
  int64_t rows = 0;
  for (const TestGroup& group : groups) {
    std::vector<ThriftWriter> chunks;
    for (size_t i = 0; i < columns.size(); ++i) {
      ThriftWriter data;
      data.Integer(4, columns[i].codec).Integer(5, group.rows);
      data.Integer(7, static_cast<int64_t>(group.pages[i].size()))
          .Integer(9, static_cast<int64_t>(file.size()));
      file += group.pages[i];
      ThriftWriter chunk;
      if (!columns[i].file.empty()) chunk.Text(1, columns[i].file);
      chunk.Struct(3, data);
      if (columns[i].encrypted) chunk.Struct(8, ThriftWriter());
      chunks.push_back(chunk);
    }
    row_groups.push_back(ThriftWriter().List(1, chunks).Integer(3, group.rows));
    rows += group.rows;
  }
  ThriftWriter footer;
  footer.Integer(1, 2).List(2, schema).Integer(3, rows).List(4, row_groups);
  if (!hugging_face.empty()) footer.List(5, {ThriftWriter().Text(1, "huggingface").Text(2, hugging_face)});
  return file + ParquetEnd(footer.Bytes());
}

// Columns "image" and "label", a row for each.
inline std::string ImageFile(const std::vector<std::string>& images, const std::vector<int64_t>& labels) {
  const auto rows = static_cast<int64_t>(images.size());
  return ParquetFile({{.name = "image"}, {.name = "label", .type = kInts64}},
                     {{.rows = rows,
                       .pages = {DataPage(PlainBytes(images), {.values = rows}),
                                 DataPage(PlainIntegers(labels), {.values = rows})}}});
}

}  // namespace bucketline::records_testing
