#include "bucketline/records/parquet_footer.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/records/thrift_reader.h"

namespace bucketline {
namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr std::string_view kEncryptedMagic = "PARE";
constexpr uint64_t kTail = 8;                      // the footer's length and the magic
constexpr uint64_t kMostRows = uint64_t{1} << 32;  // their keys have ten digits
constexpr size_t kLongestName = 1024;              // bytes, with those of the groups that it is in
constexpr uint64_t kLargestFooter = uint64_t{256} << 20;

constexpr std::array<std::string_view, 8> kCodecs = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
                                                     "BROTLI",       "LZ4",    "ZSTD", "LZ4_RAW"};
constexpr int64_t kDecimal = 5;      // converted types
constexpr int64_t kUnsigned32 = 13;  // those before it are read from narrower values, which are not negative
constexpr int64_t kUnsigned64 = 14;

[[noreturn]] void Corrupt(std::string what) { throw Error(ErrorCode::kCorruptData, std::move(what)); }

enum Repetition : int64_t { kRequired, kOptional, kRepeated };

struct SchemaElement {
  ParquetColumn column;  // its name is the last of the path
  int64_t repetition = kRequired;
  uint64_t children = 0;
  bool has_type = false;
};

SchemaElement ReadElement(ThriftReader& reader) {
  SchemaElement element;
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 1: {
        const uint64_t type = fields.Count();
        if (type > static_cast<uint64_t>(ParquetType::kFixedBytes))
          Corrupt(fmt::format("a column has the type {}", type));
        element.column.type = static_cast<ParquetType>(type);
        element.has_type = true;
        break;
      }
      case 2:
        element.column.fixed_length = fields.Count();
        break;
      case 3:
        element.repetition = fields.Integer();
        break;
      case 4:
        element.column.name = fields.Text();
        break;
      case 5:
        element.children = fields.Count();
        break;
      case 6: {
        const int64_t converted = fields.Integer();
        element.column.is_decimal = converted == kDecimal;
        element.column.is_unsigned = converted == kUnsigned32 || converted == kUnsigned64;
        break;
      }
      default:
        break;
    }
  }
  return element;
}

// The schema is a tree, written depth first.
std::vector<ParquetColumn> ReadColumns(ThriftReader& reader, size_t elements) {
  struct Group {
    std::string path;  // "", or with a dot at its end
    unsigned definition = 0;
    bool repeated = false;
    uint64_t children_left = 0;
  };
  constexpr size_t kDeepest = 64;
  std::vector<ParquetColumn> columns;
  std::vector<Group> open;
  for (size_t i = 0; i < elements; ++i) {
    SchemaElement element = ReadElement(reader);
    if (i == 0) {  // the root
      open.push_back({.path = "", .children_left = element.children});
      continue;
    }
    while (!open.empty() && open.back().children_left == 0) open.pop_back();
    if (open.empty() || open.size() > kDeepest) Corrupt("the schema is no tree of columns");
    Group& above = open.back();
    --above.children_left;
    const unsigned definition = above.definition + (element.repetition == kRequired ? 0 : 1);
    const bool repeated = above.repeated || element.repetition == kRepeated;
    std::string path = above.path + element.column.name;
    if (path.size() > kLongestName) Corrupt("a column's name is too long");
    if (element.has_type) {
      element.column.name = std::move(path);
      element.column.max_definition = definition;
      element.column.repeated = repeated;
      columns.push_back(std::move(element.column));
    } else {
      open.push_back({path + ".", definition, repeated, element.children});
    }
  }
  const auto lacks = [](const Group& group) { return group.children_left > 0; };
  if (std::any_of(open.begin(), open.end(), lacks)) Corrupt("the schema ends too early");
  return columns;
}

void ReadMetadata(ThriftReader& reader, ParquetChunk* chunk) {
  uint64_t data = 0;
  uint64_t dictionary = 0;
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 4:
        chunk->codec = fields.Integer();
        break;
      case 7:
        chunk->length = fields.Count();
        break;
      case 9:
        data = fields.Count();
        break;
      case 11:
        dictionary = fields.Count();
        break;
      default:
        break;
    }
  }
  // Some writers say 0 where there is no dictionary, or leave its place out and begin the data with it.
  chunk->offset = dictionary > 0 ? std::min(dictionary, data) : data;
}

ParquetChunk ReadChunk(ThriftReader& reader) {
  ParquetChunk chunk;
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 1:
        chunk.elsewhere = !fields.Text().empty();
        break;
      case 3:
        fields.Enter();
        ReadMetadata(reader, &chunk);
        break;
      case 8:
        chunk.encrypted = true;
        break;
      default:
        break;
    }
  }
  return chunk;
}

ParquetRowGroup ReadRowGroup(ThriftReader& reader) {
  ParquetRowGroup group;
  for (ThriftStruct fields(reader); fields.Next();) {
    if (fields.id() == 1) {
      for (size_t left = fields.List(ThriftType::kStruct); left > 0; --left)
        group.chunks.push_back(ReadChunk(reader));
    } else if (fields.id() == 3) {
      group.rows = fields.Count();
    }
  }
  return group;
}

void ReadKeyValue(ThriftReader& reader, ParquetFooter* footer) {
  std::string_view key;
  std::string_view value;
  for (ThriftStruct fields(reader); fields.Next();) {
    if (fields.id() == 1) key = fields.Text();
    if (fields.id() == 2) value = fields.Text();
  }
  if (key == "huggingface") footer->hugging_face = value;
}

ParquetFooter Parse(std::string_view bytes) {
  ThriftReader reader(bytes);
  ParquetFooter footer;
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 2:
        footer.columns = ReadColumns(reader, fields.List(ThriftType::kStruct));
        break;
      case 4:
        for (size_t left = fields.List(ThriftType::kStruct); left > 0; --left)
          footer.row_groups.push_back(ReadRowGroup(reader));
        break;
      case 5:
        for (size_t left = fields.List(ThriftType::kStruct); left > 0; --left) ReadKeyValue(reader, &footer);
        break;
      default:
        break;
    }
  }
  uint64_t rows = 0;
  for (const ParquetRowGroup& group : footer.row_groups) {
    if (group.rows > kMostRows - rows)
      Corrupt(fmt::format("its row groups have more than {} rows", kMostRows));
    rows += group.rows;
  }
  for (size_t i = 0; i < footer.row_groups.size(); ++i) {
    const size_t chunks = footer.row_groups[i].chunks.size();
    if (chunks == footer.columns.size()) continue;
    Corrupt(
        fmt::format("row group {} has {} columns, and the schema has {}", i, chunks, footer.columns.size()));
  }
  return footer;
}

[[noreturn]] void NoParquet(ShardBytes& shard, uint64_t offset, std::string what) {
  RefuseCompressed(shard);
  throw ShardDamage(offset, std::move(what));
}

}  // namespace

std::string ParquetCodecName(int64_t codec) {
  const bool known = codec >= 0 && static_cast<size_t>(codec) < kCodecs.size();
  return known ? std::string(kCodecs[static_cast<size_t>(codec)]) : fmt::format("codec {}", codec);
}

ParquetFooter ReadParquetFooter(ShardBytes& shard) {
  const uint64_t size = shard.size();
  if (size < kMagic.size() + kTail) NoParquet(shard, 0, fmt::format("{} bytes are no Parquet file", size));
  const std::string tail(shard.At(size - kTail, kTail));
  const std::string_view magic = std::string_view(tail).substr(4);
  if (magic == kEncryptedMagic) {
    throw Error(ErrorCode::kUnsupported,
                "the file is encrypted, footer and all; write it anew without encryption");
  }
  if (magic != kMagic) {
    NoParquet(shard, size - kMagic.size(),
              "a Parquet file ends with \"PAR1\", and this one does not: it was cut off, or is none");
  }
  const uint64_t length = ByteReader(tail).Fixed32();
  if (length > size - kTail - kMagic.size()) {
    throw ShardDamage(size - kTail,
                      fmt::format("the footer is said to have {} bytes, and the file has {}", length, size));
  }
  const uint64_t begin = size - kTail - length;
  if (length > kLargestFooter)
    throw ShardDamage(begin, fmt::format("a footer of {} bytes is too large", length));
  try {
    return Parse(shard.At(begin, length));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData || !error.uri().empty()) throw;
    throw ShardDamage(begin, fmt::format("the footer does not parse: {}", error.message()));
  }
}

std::vector<std::string> ClassesOfColumn(const ParquetFooter& footer, std::string_view name) {
  if (footer.hugging_face.empty()) return {};
  try {
    const nlohmann::json described = nlohmann::json::parse(footer.hugging_face);
    const nlohmann::json& feature = described.at("info").at("features").at(std::string(name));
    if (feature.value("_type", "") != "ClassLabel") return {};
    return feature.at("names").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    return {};  // a note of another program, which says nothing of classes
  }
}

}  // namespace bucketline
