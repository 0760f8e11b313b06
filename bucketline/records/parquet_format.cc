#include "bucketline/records/parquet_format.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/parquet_column.h"
#include "bucketline/records/parquet_footer.h"

namespace bucketline {
namespace {

constexpr std::string_view kBytesField = ".bytes";

// A column under one of its names.
struct NamedColumn {
  std::string name;
  size_t column = 0;
};

std::vector<NamedColumn> NamesOf(const ParquetFooter& footer) {
  std::vector<NamedColumn> names;
  for (size_t i = 0; i < footer.columns.size(); ++i) {
    const std::string& path = footer.columns[i].name;
    const bool has_short_name = path.size() > kBytesField.size() && path.ends_with(kBytesField);
    if (has_short_name) names.push_back({path.substr(0, path.size() - kBytesField.size()), i});
    names.push_back({path, i});
  }
  return names;
}

std::string_view NameOf(ParquetType type) {
  switch (type) {
    case ParquetType::kBoolean:
      return "a boolean";
    case ParquetType::kInt32:
    case ParquetType::kInt64:
    case ParquetType::kInt96:
      return "an integer";
    case ParquetType::kFloat:
    case ParquetType::kDouble:
      return "a float";
    case ParquetType::kBytes:
    case ParquetType::kFixedBytes:
      break;
  }
  return "bytes";
}

std::optional<std::string> WhyNoPart(const ParquetColumn& column) {
  if (column.repeated) return "is a list";
  if (column.type == ParquetType::kBytes || column.type == ParquetType::kFixedBytes) return std::nullopt;
  return fmt::format("is {}", NameOf(column.type));
}

std::optional<std::string> WhyNoLabel(const ParquetColumn& column) {
  if (column.repeated) return "is a list";
  if (column.is_decimal) return "is a decimal number";
  if (column.type == ParquetType::kInt96) return "is an integer of 96 bits";
  if (column.type == ParquetType::kFixedBytes) return "holds values of fixed length";
  return std::nullopt;
}

class ParquetScanner {
 public:
  ParquetScanner(ShardBytes& shard, std::string_view label, SampleSink& sink)
      : shard_(shard), label_(label), sink_(sink), footer_(ReadParquetFooter(shard)) {
    const std::vector<NamedColumn> names = NamesOf(footer_);
    std::vector<std::string> members;
    members.reserve(names.size());
    for (const NamedColumn& named : names) members.push_back(named.name);
    const std::vector<bool> wanted = sink.WantedParts(members);
    for (size_t i = 0; i < names.size(); ++i) {
      const ParquetColumn& column = footer_.columns[names[i].column];
      const bool is_label = !label.empty() && names[i].name == label;
      if (is_label) CheckLabel(column, names[i].column);
      if (wanted[i] || is_label) {
        members_.push_back({names[i], wanted[i] ? WhyNoPart(column) : "is not read as one", is_label});
      }
    }
  }

  void Run() {
    uint64_t first = 0;
    for (size_t i = 0; i < footer_.row_groups.size(); ++i) {
      try {
        TakeGroup(i, first);
      } catch (const ShardDamage& damage) {
        sink_.Skip(damage);
      }
      first += footer_.row_groups[i].rows;
    }
  }

 private:
  struct Member {
    NamedColumn named;
    std::optional<std::string> no_part;
    bool is_label = false;
  };
  // A member's values in one row group.
  struct Reader {
    const Member* member = nullptr;
    std::unique_ptr<ParquetPlaces> places;
    std::unique_ptr<ParquetValues> values;
  };

  void CheckLabel(const ParquetColumn& column, size_t number) {
    const std::optional<std::string> why = WhyNoLabel(column);
    if (why) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("the column \"{}\" {}, and a label is a boolean, an integer, a float "
                              "or a text",
                              label_, *why));
    }
    sink_.NameClasses(ClassesOfColumn(footer_, footer_.columns[number].name));
  }

  std::vector<Reader> ReadersOf(size_t group) {
    std::vector<Reader> readers;
    for (const Member& member : members_) {
      const size_t column = member.named.column;
      const ParquetChunkPlace place{.column = &footer_.columns[column],
                                    .chunk = &footer_.row_groups[group].chunks[column],
                                    .row_group = group};
      Reader& reader = readers.emplace_back(Reader{.member = &member, .places = nullptr, .values = nullptr});
      if (!member.no_part) reader.places = std::make_unique<ParquetPlaces>(shard_, place);
      if (member.is_label) reader.values = std::make_unique<ParquetValues>(shard_, place);
    }
    return readers;
  }

  void TakeGroup(size_t group, uint64_t first) {
    const uint64_t rows = footer_.row_groups[group].rows;
    std::vector<Reader> readers = ReadersOf(group);
    for (uint64_t row = 0; row < rows; ++row) {
      ShardSample sample{.key = NumberedKey(first + row), .offset = 0, .members = {}};
      for (Reader& reader : readers) TakeMember(reader, &sample);
      sink_.Take(std::move(sample));
    }
    for (const Reader& reader : readers) {
      if (reader.places && rows > 0) reader.places->Finish();
      if (reader.values && rows > 0) reader.values->Finish();
    }
  }

  static void TakeMember(Reader& reader, ShardSample* sample) {
    ShardMember& member = sample->members.emplace_back();
    member.name = reader.member->named.name;
    member.no_part = reader.member->no_part;
    if (reader.values) member.value = reader.values->Next();
    if (!reader.places) return;
    const std::optional<ParquetBytes> place = reader.places->Next();
    if (place) {
      member.offset = place->offset;
      member.length = place->length;
    } else {
      member.offset = reader.places->page_offset();
      member.no_part = "is null";
    }
    if (sample->offset == 0) sample->offset = member.offset;
  }

  ShardBytes& shard_;
  const std::string_view label_;
  SampleSink& sink_;
  const ParquetFooter footer_;
  std::vector<Member> members_;
};

}  // namespace

void ScanParquet(ShardBytes& shard, std::string_view label, SampleSink& sink) {
  ParquetScanner(shard, label, sink).Run();
}

}  // namespace bucketline
