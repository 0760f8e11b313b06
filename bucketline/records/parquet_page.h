// Parquet pages: the pages of a column in one row group, one after another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bucketline/records/parquet_footer.h"
#include "bucketline/records/shard_scan.h"

namespace bucketline {

enum class ParquetEncoding : int64_t {
  kPlain = 0,
  kPlainDictionary = 2,  // of indices, as kRleDictionary; of a dictionary, as kPlain
  kRle = 3,
  kRleDictionary = 8,
};

// Which column of which row group, for messages.
struct ParquetChunkPlace {
  const ParquetColumn* column = nullptr;
  const ParquetChunk* chunk = nullptr;
  size_t row_group = 0;
};

struct ParquetPage {
  bool is_dictionary = false;
  uint64_t header = 0;  // where it begins, for messages
  uint64_t offset = 0;  // of its values in the shard
  uint64_t length = 0;
  uint64_t rows = 0;  // with those that are null; of a dictionary, its values
  int64_t encoding = 0;
  std::string levels;  // of its rows; "" where all are there
};

// Goes through them; nothing but headers and levels is read here. Throws ShardDamage for pages that make no sense, and
// kUnsupported, naming column, codec and what to do, for a page whose values do not stand in the file as they are.
class ParquetPages {
 public:
  ParquetPages(ShardBytes& shard, ParquetChunkPlace place);

  // nullopt: there are no more.
  std::optional<ParquetPage> Next();

 private:
  struct Header;
  Header ReadHeader();
  void SkipLevels(const Header& header, ParquetPage* page);

  ShardBytes& shard_;
  const ParquetChunkPlace place_;
  uint64_t at_ = 0;
  uint64_t end_ = 0;
};

// kUnsupported: "the column "image" of row group 0 `what` at byte 4, ...", and what to do.
[[noreturn]] void RefuseParquet(const ParquetChunkPlace& place, uint64_t offset, const std::string& what);

// "PLAIN", "encoding 17": for messages.
std::string ParquetEncodingName(int64_t encoding);

}  // namespace bucketline
