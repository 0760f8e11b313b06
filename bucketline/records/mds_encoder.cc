// MDS shards, version 2, as MosaicML Streaming reads them (records/mds_format.h), and the index.json beside them. Columns
// stand in the order of their names: "class", "key" and "label" beside the parts.
#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/records/mds_index.h"
#include "bucketline/records/shard_encoder.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kWord = 4;
constexpr int kVersion = 2;

// What holds a column's bytes: text of the sample's, or one of its parts.
enum class Holds { kClass, kKey, kLabel, kPart };
struct Column {
  std::string name;
  std::string encoding;
  std::optional<uint64_t> size;  // bytes; nullopt where each sample says
  Holds holds = Holds::kKey;
  size_t part = 0;
};

Column LabelColumnOf(const PackSchema& schema) {
  switch (schema.label) {
    case LabelKind::kFloat:
      return {"label", "float32", 4, Holds::kLabel};
    case LabelKind::kVector:
      return {"label", fmt::format("ndarray:float32:{}", schema.label_width), 4 * schema.label_width,
              Holds::kLabel};
    default:
      return {"label", "int", 8, Holds::kLabel};
  }
}

std::vector<Column> ColumnsOf(const PackSchema& schema) {
  std::vector<Column> columns;
  if (schema.classes) columns.push_back({"class", "str", std::nullopt, Holds::kClass});
  columns.push_back({"key", "str", std::nullopt, Holds::kKey});
  if (schema.label != LabelKind::kNone) columns.push_back(LabelColumnOf(schema));
  for (size_t i = 0; i < schema.part_names.size(); ++i) {
    columns.push_back({schema.part_names[i], schema.jpeg ? "jpeg" : "bytes", std::nullopt, Holds::kPart, i});
  }
  std::sort(columns.begin(), columns.end(), [](const Column& a, const Column& b) { return a.name < b.name; });
  return columns;
}

// The object that names the columns, as it stands in a shard and, with more in it, in index.json.
nlohmann::json HeadOf(const PackSchema& schema) {
  nlohmann::json head = {{"column_encodings", nlohmann::json::array()},
                         {"column_names", nlohmann::json::array()},
                         {"column_sizes", nlohmann::json::array()},
                         {"compression", nullptr},
                         {"format", "mds"},
                         {"hashes", nlohmann::json::array()},
                         {"size_limit", schema.shard_size},
                         {"version", kVersion}};
  for (const Column& column : ColumnsOf(schema)) {
    head["column_names"].push_back(column.name);
    head["column_encodings"].push_back(column.encoding);
    head["column_sizes"].push_back(column.size ? nlohmann::json(*column.size) : nlohmann::json(nullptr));
  }
  return head;
}

struct LabelBytes {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(int64_t value) const {
    std::string bytes;
    AppendFixed64(&bytes, static_cast<uint64_t>(value));
    return bytes;
  }
  std::string operator()(float value) const { return (*this)(std::vector{value}); }
  std::string operator()(const std::vector<float>& values) const {
    std::string bytes;
    for (const float value : values) AppendFixed32(&bytes, std::bit_cast<uint32_t>(value));
    return bytes;
  }
};

uint64_t LengthOf(const Column& column, const SampleToPack& sample) {
  if (column.size) return *column.size;
  switch (column.holds) {
    case Holds::kClass:
      return sample.class_name.size();
    case Holds::kPart:
      return sample.parts[column.part].length;
    default:
      return sample.key.size();
  }
}

class MdsEncoder : public ShardEncoder {
 public:
  explicit MdsEncoder(const PackSchema& schema) : columns_(ColumnsOf(schema)), head_(HeadOf(schema).dump()) {}

  void Add(const SampleToPack& sample, const Emit&) override {
    std::string bytes;
    uint64_t size = 0;
    for (const Column& column : columns_) {
      if (!column.size) AppendFixed32(&bytes, static_cast<uint32_t>(LengthOf(column, sample)));
      size += LengthOf(column, sample);
    }
    bytes.reserve(bytes.size() + size);
    std::vector<uint64_t> places(sample.parts.size());
    for (const Column& column : columns_) {
      if (column.holds == Holds::kPart) places[column.part] = size_ + bytes.size();
      bytes += BytesOf(column, sample);
    }
    size_ += bytes.size();
    offsets_.insert(offsets_.end(), places.begin(), places.end());
    samples_.push_back(std::move(bytes));
  }

  std::vector<uint64_t> Finish(const Emit& emit) override {
    std::string table;
    AppendFixed32(&table, static_cast<uint32_t>(samples_.size()));
    const uint64_t begin = kWord * (samples_.size() + 2) + head_.size();
    uint64_t at = begin;
    AppendFixed32(&table, static_cast<uint32_t>(at));
    for (const std::string& sample : samples_) {
      at += sample.size();
      AppendFixed32(&table, static_cast<uint32_t>(at));
    }
    emit(table);
    emit(head_);
    for (std::string& sample : samples_) {
      emit(sample);
      sample = {};
    }
    for (uint64_t& offset : offsets_) offset += begin;
    return std::move(offsets_);
  }

 private:
  static std::string BytesOf(const Column& column, const SampleToPack& sample) {
    switch (column.holds) {
      case Holds::kClass:
        return sample.class_name;
      case Holds::kLabel:
        return std::visit(LabelBytes{}, sample.label);
      case Holds::kPart:
        return std::string(sample.parts[column.part].bytes);
      case Holds::kKey:
        break;
    }
    return sample.key;
  }

  const std::vector<Column> columns_;
  const std::string head_;
  uint64_t size_ = 0;  // of all samples
  std::vector<std::string> samples_;
  std::vector<uint64_t> offsets_;  // from the first sample on, until Finish
};

void Check(const PackSchema& schema) { kTfRecordEncoding.check(schema); }

uint64_t SampleSize(const PackSchema& schema, const SampleToPack& sample) {
  uint64_t size = kWord;  // in the table
  for (const Column& column : ColumnsOf(schema)) size += LengthOf(column, sample) + (column.size ? 0 : kWord);
  return size;
}

uint64_t Overhead(const PackSchema& schema) { return 2 * kWord + HeadOf(schema).dump().size(); }

std::unique_ptr<ShardEncoder> Make(const PackSchema& schema) { return std::make_unique<MdsEncoder>(schema); }

}  // namespace

std::string MdsIndex(const PackSchema& schema, const std::vector<MdsShard>& shards) {
  nlohmann::json list = nlohmann::json::array();
  for (const MdsShard& shard : shards) {
    nlohmann::json entry = HeadOf(schema);
    entry["raw_data"] = {
        {"basename", shard.name}, {"bytes", shard.bytes}, {"hashes", nlohmann::json::object()}};
    entry["samples"] = shard.samples;
    entry["zip_data"] = nullptr;
    list.push_back(std::move(entry));
  }
  return nlohmann::json{{"shards", std::move(list)}, {"version", kVersion}}.dump();
}

const ShardEncoding kMdsEncoding = {
    .name = "mds",
    .extension = "mds",
    .check = Check,
    .sample_size = SampleSize,
    .shard_overhead = Overhead,
    .largest_part = UINT32_MAX,
    .largest_shard = UINT32_MAX,
    .holds_shard = true,
    .make = Make,
};

}  // namespace bucketline
