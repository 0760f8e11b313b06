// Parquet footer: what the end of a Parquet file says of it: its columns, and where their values are.
// Source: parquet-format/src/main/thrift/parquet.thrift.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/records/shard_scan.h"

namespace bucketline {

enum class ParquetType { kBoolean, kInt32, kInt64, kInt96, kFloat, kDouble, kBytes, kFixedBytes };

// A column with values: a leaf of the schema.
struct ParquetColumn {
  std::string name;  // its path, "image.bytes" of a struct's field
  ParquetType type = ParquetType::kBytes;
  uint64_t fixed_length = 0;    // of kFixedBytes
  unsigned max_definition = 0;  // the level of a value that is there; 0: it always is
  bool repeated = false;        // a list, or inside one
  bool is_unsigned = false;
  bool is_decimal = false;
};

// A column's pages in one row group, next to each other.
struct ParquetChunk {
  uint64_t offset = 0;
  uint64_t length = 0;
  int64_t codec = 0;
  bool encrypted = false;
  bool elsewhere = false;  // in another file
};

struct ParquetRowGroup {
  uint64_t rows = 0;
  std::vector<ParquetChunk> chunks;  // one a column
};

struct ParquetFooter {
  std::vector<ParquetColumn> columns;
  std::vector<ParquetRowGroup> row_groups;
  std::string hugging_face;  // what `datasets` wrote of its features, as JSON; "": nothing
};

// "SNAPPY": for messages.
std::string ParquetCodecName(int64_t codec);

// Throws ShardDamage for a file that is cut off or no Parquet, and a footer that makes no sense; kUnsupported for one that is
// encrypted.
ParquetFooter ReadParquetFooter(ShardBytes& shard);

// The classes of the label column `name` that Hugging Face's `datasets` noted; none when it did not.
std::vector<std::string> ClassesOfColumn(const ParquetFooter& footer, std::string_view name);

}  // namespace bucketline
