#include "bucketline/records/parquet_page.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/thrift_reader.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kUsualHeader = uint64_t{8} << 10;
constexpr uint64_t kLargestHeader = uint64_t{16} << 20;  // statistics hold values
constexpr uint64_t kLargestLevels = uint64_t{64} << 20;
constexpr uint64_t kLevelsLength = 4;  // bytes, before the levels of a page of version 1

enum PageType : int64_t { kData = 0, kDictionary = 2, kData2 = 3 };

constexpr std::array<std::string_view, 10> kEncodings = {
    "PLAIN",          "encoding 1",          "PLAIN_DICTIONARY",        "RLE",
    "BIT_PACKED",     "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
    "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"};

}  // namespace

std::string ParquetEncodingName(int64_t encoding) {
  const bool known = encoding >= 0 && static_cast<size_t>(encoding) < kEncodings.size();
  return known ? std::string(kEncodings[static_cast<size_t>(encoding)])
               : fmt::format("encoding {}", encoding);
}

void RefuseParquet(const ParquetChunkPlace& place, uint64_t offset, const std::string& what) {
  throw Error(
      ErrorCode::kUnsupported,
      fmt::format(
          "the column \"{}\" of row group {} {} at byte {}, so no value in it can be read by itself; write "
          "the file anew: bucketline.parquet.convert(source, out), or "
          "pyarrow.parquet.write_table(table, path, compression=\"NONE\", use_dictionary=False)",
          place.column->name, place.row_group, what, offset));
}

struct ParquetPages::Header {
  int64_t type = -1;
  uint64_t header_bytes = 0;
  uint64_t bytes = 0;  // behind the header
  uint64_t unpacked_bytes = 0;
  uint64_t values = 0;
  int64_t encoding = 0;
  int64_t level_encoding = static_cast<int64_t>(ParquetEncoding::kRle);
  uint64_t definition_bytes = 0;  // of version 2
  uint64_t repetition_bytes = 0;
  bool compressed = true;

  static Header Parse(std::string_view bytes);
  void ReadData(ThriftReader& reader);
  void ReadData2(ThriftReader& reader);
  void ReadDictionary(ThriftReader& reader);
};

void ParquetPages::Header::ReadData(ThriftReader& reader) {
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 1:
        values = fields.Count();
        break;
      case 2:
        encoding = fields.Integer();
        break;
      case 3:
        level_encoding = fields.Integer();
        break;
      default:
        break;
    }
  }
}

void ParquetPages::Header::ReadData2(ThriftReader& reader) {
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 1:
        values = fields.Count();
        break;
      case 4:
        encoding = fields.Integer();
        break;
      case 5:
        definition_bytes = fields.Count();
        break;
      case 6:
        repetition_bytes = fields.Count();
        break;
      case 7:
        compressed = fields.Flag();
        break;
      default:
        break;
    }
  }
}

void ParquetPages::Header::ReadDictionary(ThriftReader& reader) {
  for (ThriftStruct fields(reader); fields.Next();) {
    if (fields.id() == 1) values = fields.Count();
    if (fields.id() == 2) encoding = fields.Integer();
  }
}

ParquetPages::Header ParquetPages::Header::Parse(std::string_view bytes) {
  ThriftReader reader(bytes);
  Header header;
  for (ThriftStruct fields(reader); fields.Next();) {
    switch (fields.id()) {
      case 1:
        header.type = fields.Integer();
        break;
      case 2:
        header.unpacked_bytes = fields.Count();
        break;
      case 3:
        header.bytes = fields.Count();
        break;
      case 5:
        fields.Enter();
        header.ReadData(reader);
        break;
      case 7:
        fields.Enter();
        header.ReadDictionary(reader);
        break;
      case 8:
        fields.Enter();
        header.ReadData2(reader);
        break;
      default:
        break;
    }
  }
  header.header_bytes = bytes.size() - reader.left();
  return header;
}

ParquetPages::ParquetPages(ShardBytes& shard, ParquetChunkPlace place)
    : shard_(shard), place_(place), at_(place.chunk->offset) {
  const ParquetChunk& chunk = *place.chunk;
  if (chunk.encrypted) RefuseParquet(place, chunk.offset, "is encrypted");
  if (chunk.elsewhere) RefuseParquet(place, chunk.offset, "is in another file");
  if (chunk.offset > shard.size() || chunk.length > shard.size() - chunk.offset) {
    throw ShardDamage(
        std::min(chunk.offset, shard.size()),
        fmt::format("the column \"{}\" of row group {} is said to be bytes {}+{}, and the file has {}",
                    place.column->name, place.row_group, chunk.offset, chunk.length, shard.size()));
  }
  end_ = chunk.offset + chunk.length;
}

// How long it is nobody says: more is looked at where the usual is not enough.
ParquetPages::Header ParquetPages::ReadHeader() {
  for (uint64_t size = kUsualHeader;; size *= 8) {
    const uint64_t window = std::min({size, end_ - at_, kLargestHeader});
    const std::string_view bytes = shard_.At(at_, window);
    try {
      return Header::Parse(bytes);
    } catch (const Error& error) {
      if (window == size) continue;
      throw ShardDamage(
          at_, fmt::format("a page of the column \"{}\" of row group {} has a header that does not parse: {}",
                           place_.column->name, place_.row_group, error.message()));
    }
  }
}

std::optional<ParquetPage> ParquetPages::Next() {
  while (at_ < end_) {
    const Header header = ReadHeader();
    const uint64_t begin = std::exchange(at_, at_ + header.header_bytes);
    const auto damage = [&](std::string_view what) {
      return ShardDamage(begin,
                         fmt::format("a page of the column \"{}\" of row group {} {}: its header is wrong",
                                     place_.column->name, place_.row_group, what));
    };
    if (header.bytes > end_ - at_) throw damage(fmt::format("with {} bytes leaves its column", header.bytes));
    ParquetPage page{.is_dictionary = header.type == kDictionary,
                     .header = begin,
                     .offset = std::exchange(at_, at_ + header.bytes),
                     .length = header.bytes,
                     .rows = header.values,
                     .encoding = header.encoding,
                     .levels = {}};
    if (!page.is_dictionary && header.type != kData && header.type != kData2)
      continue;  // an index, or what is to come
    if (place_.chunk->codec != 0 && (header.type != kData2 || header.compressed)) {
      RefuseParquet(place_, begin, "is compressed with " + ParquetCodecName(place_.chunk->codec));
    }
    if (header.unpacked_bytes != header.bytes) {
      throw damage(fmt::format("has {} bytes, and {} unpacked, without compression", header.bytes,
                               header.unpacked_bytes));
    }
    if (!page.is_dictionary) SkipLevels(header, &page);
    return page;
  }
  return std::nullopt;
}

void ParquetPages::SkipLevels(const Header& header, ParquetPage* page) {
  uint64_t before = 0;
  uint64_t levels = 0;
  if (header.type == kData2) {
    before = header.repetition_bytes;
    levels = header.definition_bytes;
  } else if (place_.column->max_definition > 0) {
    if (header.level_encoding != static_cast<int64_t>(ParquetEncoding::kRle)) {
      RefuseParquet(place_, page->header, "has levels in " + ParquetEncodingName(header.level_encoding));
    }
    before = kLevelsLength;
    if (page->length >= before) levels = ByteReader(shard_.At(page->offset, before)).Fixed32();
  }
  if (levels > kLargestLevels || before > page->length || levels > page->length - before) {
    throw ShardDamage(
        page->header,
        fmt::format(
            "a page of the column \"{}\" of row group {} has levels of {} bytes, which it has no room for",
            place_.column->name, place_.row_group, levels));
  }
  if (place_.column->max_definition > 0) page->levels = shard_.At(page->offset + before, levels);
  page->offset += before + levels;
  page->length -= before + levels;
}

}  // namespace bucketline
