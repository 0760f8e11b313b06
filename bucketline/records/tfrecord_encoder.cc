// TFRecord shards of tf.train.Example messages. Features stand in the order of their names, so that equal samples give
// equal bytes: "class", "key" and "label" beside the parts.
#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/crc.h"
#include "bucketline/base/crc32c.h"
#include "bucketline/base/error.h"
#include "bucketline/records/shard_encoder.h"
#include "bucketline/records/tfrecord_format.h"
#include "bucketline/records/varint.h"

namespace bucketline {
namespace {

constexpr uint64_t kFrame = 12 + 4;  // the length and its CRC before the message, the message's CRC after it

// Fields of protobuf's wire type 2; see records/example_proto.h for the messages.
constexpr uint64_t kFeatures = 1, kEntry = 1, kEntryName = 1, kEntryFeature = 2;
constexpr uint64_t kBytesList = 1, kFloatList = 2, kIntegerList = 3, kValues = 1;

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}
uint64_t FieldSize(uint64_t length) { return 1 + VarintSize(length) + length; }
void AppendField(std::string* out, uint64_t number, uint64_t length) {
  AppendVarint(out, number << 3 | 2);
  AppendVarint(out, length);
}

// One feature: a list of one kind. `own` are its values' bytes, or `part` are those of a part.
struct Feature {
  std::string_view name;
  uint64_t list = kBytesList;
  std::string own = {};
  const PartToPack* part = nullptr;

  uint64_t ValueSize() const { return FieldSize(part != nullptr ? part->length : own.size()); }
  uint64_t EntrySize() const { return FieldSize(name.size()) + FieldSize(FieldSize(ValueSize())); }
  // All but the bytes of the value.
  void AppendHead(std::string* out) const {
    AppendField(out, kEntry, EntrySize());
    AppendField(out, kEntryName, name.size());
    out->append(name);
    AppendField(out, kEntryFeature, FieldSize(ValueSize()));
    AppendField(out, list, ValueSize());
    AppendField(out, kValues, part != nullptr ? part->length : own.size());
  }
};

struct LabelFeature {
  Feature* feature;
  void operator()(std::monostate) const {}
  void operator()(int64_t value) const {
    feature->list = kIntegerList;
    AppendVarint(&feature->own, static_cast<uint64_t>(value));
  }
  void operator()(float value) const { (*this)(std::vector{value}); }
  void operator()(const std::vector<float>& values) const {
    feature->list = kFloatList;
    for (const float value : values) AppendFixed32(&feature->own, std::bit_cast<uint32_t>(value));
  }
};

std::vector<Feature> FeaturesOf(const PackSchema& schema, const SampleToPack& sample) {
  std::vector<Feature> features;
  if (schema.classes) features.push_back({.name = "class", .own = sample.class_name});
  features.push_back({.name = "key", .own = sample.key});
  if (schema.label != LabelKind::kNone) {
    features.push_back({.name = "label"});
    std::visit(LabelFeature{&features.back()}, sample.label);
  }
  for (size_t i = 0; i < sample.parts.size(); ++i) {
    features.push_back({.name = schema.part_names[i], .part = &sample.parts[i]});
  }
  std::sort(features.begin(), features.end(),
            [](const Feature& a, const Feature& b) { return a.name < b.name; });
  return features;
}

uint64_t EntriesSize(const std::vector<Feature>& features) {
  uint64_t size = 0;
  for (const Feature& feature : features) size += FieldSize(feature.EntrySize());
  return size;
}

// What is emitted, and its CRC.
class CheckedOutput {
 public:
  explicit CheckedOutput(const ShardEncoder::Emit& emit) : emit_(emit) {}

  void Put(std::string_view bytes) { Put(bytes, Crc32cOf(bytes)); }
  void Put(std::string_view bytes, uint32_t crc) {
    crc_ = Crc32c::Combine(crc_, crc, bytes.size());
    emit_(bytes);
  }
  uint32_t crc() const { return crc_; }

 private:
  const ShardEncoder::Emit& emit_;
  uint32_t crc_ = 0;  // that of no bytes
};

class TfRecordEncoder : public ShardEncoder {
 public:
  explicit TfRecordEncoder(PackSchema schema) : schema_(std::move(schema)) {}

  void Add(const SampleToPack& sample, const Emit& emit) override {
    const std::vector<Feature> features = FeaturesOf(schema_, sample);
    const uint64_t entries = EntriesSize(features);
    std::string text;
    AppendFixed64(&text, FieldSize(entries));
    AppendFixed32(&text, MaskedCrc32c(Crc32cOf(text)));
    emit(text);
    uint64_t at = at_ + text.size();
    std::vector<uint64_t> places(sample.parts.size());
    CheckedOutput message(emit);
    text.clear();
    AppendField(&text, kFeatures, entries);
    for (const Feature& feature : features) {
      feature.AppendHead(&text);
      if (feature.part == nullptr) {
        text += feature.own;
        continue;
      }
      message.Put(text);
      at += text.size();
      places[static_cast<size_t>(feature.part - sample.parts.data())] = at;
      message.Put(feature.part->bytes, feature.part->crc32c);
      at += feature.part->bytes.size();
      text.clear();
    }
    message.Put(text);
    std::string footer;
    AppendFixed32(&footer, MaskedCrc32c(message.crc()));
    emit(footer);
    at_ += FieldSize(entries) + kFrame;
    offsets_.insert(offsets_.end(), places.begin(), places.end());
  }

  std::vector<uint64_t> Finish(const Emit&) override { return std::move(offsets_); }

 private:
  const PackSchema schema_;
  uint64_t at_ = 0;
  std::vector<uint64_t> offsets_;
};

void Check(const PackSchema& schema) {
  for (const std::string& name : schema.part_names) {
    if (name != "class" && name != "key" && name != "label") continue;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("a part cannot be called \"{}\": that is a feature, or column, of the pack's own; "
                    "give it another name",
                    name));
  }
}

uint64_t SampleSize(const PackSchema& schema, const SampleToPack& sample) {
  return FieldSize(EntriesSize(FeaturesOf(schema, sample))) + kFrame;
}

uint64_t Overhead(const PackSchema&) { return 0; }

std::unique_ptr<ShardEncoder> Make(const PackSchema& schema) {
  return std::make_unique<TfRecordEncoder>(schema);
}

}  // namespace

const ShardEncoding kTfRecordEncoding = {
    .name = "tfrecord",
    .extension = "tfrecord",
    .check = Check,
    .sample_size = SampleSize,
    .shard_overhead = Overhead,
    .largest_part = (uint64_t{1} << 30) - (uint64_t{1} << 20),  // a record of 1 GiB is read
    .largest_shard = uint64_t{1} << 40,
    .holds_shard = false,
    .make = Make,
};

}  // namespace bucketline
