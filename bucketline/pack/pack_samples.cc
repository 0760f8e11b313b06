#include "bucketline/pack/pack_samples.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "bucketline/base/hash.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/image/formats.h"

namespace bucketline {
namespace {

constexpr std::string_view kPlainPart = "data";  // the name of the only part, in the plain case
constexpr size_t kLongestExtension = 8;
constexpr std::array<std::string_view, 6> kImages = {"jpg", "jpeg", "png", "webp", "gif", "bmp"};
constexpr uint64_t kHashedAtOnce = 4096;  // labels

// What follows the last dot of a name, in lower case; "" for what is not a few letters and digits.
std::string ExtensionOfKey(std::string_view key) {
  const std::string_view name = key.substr(key.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return "";
  std::string extension(name.substr(dot + 1));
  if (extension.size() > kLongestExtension) return "";
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return "";
  }
  return extension;
}

std::string ExtensionOfBytes(std::string_view bytes) {
  const FormatEntry* format = FindFormat({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  if (format == nullptr) return "bin";
  switch (format->format) {
    case ImageFormat::kJpeg:
      return "jpg";
    case ImageFormat::kPng:
      return "png";
    case ImageFormat::kWebp:
      return "webp";
    case ImageFormat::kGif:
      return "gif";
    case ImageFormat::kBmp:
      return "bmp";
  }
  return "bin";
}

struct Kinds {
  bool images = true;  // all of them, by their names; samples of shards are taken for images
  bool jpegs = true;
};

Kinds KindsOf(const Dataset& dataset) {
  Kinds kinds;
  for (uint64_t i = 0; i < dataset.size() && kinds.images; ++i) {
    for (const RecordPart& part : dataset.RecordAt(i).parts) {
      const std::string extension = IsWhole(part) ? ExtensionOfKey(part.object_key) : "";
      kinds.jpegs = kinds.jpegs && (extension == "jpg" || extension == "jpeg");
      kinds.images = kinds.images && (!IsWhole(part) ||
                                      std::find(kImages.begin(), kImages.end(), extension) != kImages.end());
    }
  }
  kinds.jpegs = kinds.jpegs && kinds.images;
  return kinds;
}

PackSchema SchemaOf(const Dataset& dataset, const ShardEncoding& encoding, bool jpeg, uint64_t shard_size) {
  const Kinds kinds = jpeg ? Kinds{} : KindsOf(dataset);
  PackSchema schema{.part_names = dataset.part_names(),
                    .jpeg = jpeg || kinds.jpegs,
                    .label = dataset.label_kind(),
                    .label_width = dataset.label_width(),
                    .classes = dataset.label_kind() == LabelKind::kClass,
                    .shard_size = shard_size};
  if (schema.part_names.size() == 1 && schema.part_names.front() == kPlainPart) {
    schema.part_names = {encoding.name == kTarEncoding.name ? "" : kinds.images ? "image" : "data"};
  }
  encoding.check(schema);
  return schema;
}

}  // namespace

PackSamples::PackSamples(const Dataset& dataset, const ShardEncoding& encoding,
                         std::optional<uint64_t> shuffle, bool jpeg, uint64_t shard_size)
    : dataset_(&dataset), schema_(SchemaOf(dataset, encoding, jpeg, shard_size)), jpeg_(jpeg) {
  if (shuffle) order_.emplace(dataset.size(), *shuffle, 0);
}

SampleToPack PackSamples::At(uint64_t position) const {
  const uint64_t index = IndexAt(position);
  Record record = dataset_->RecordAt(index);
  SampleToPack sample{.number = position, .key = std::move(record.key)};
  for (const RecordPart& part : record.parts) sample.parts.push_back({.length = part.length});
  switch (schema_.label) {
    case LabelKind::kNone:
      break;
    case LabelKind::kClass:
      sample.class_name = dataset_->classes()[static_cast<size_t>(dataset_->LabelInteger(index))];
      [[fallthrough]];
    case LabelKind::kInteger:
      sample.label = dataset_->LabelInteger(index);
      break;
    case LabelKind::kFloat:
      sample.label = dataset_->LabelFloat(index);
      break;
    case LabelKind::kVector: {
      std::vector<float> values(schema_.label_width);
      for (size_t i = 0; i < values.size(); ++i) values[i] = dataset_->LabelFloat(index, i);
      sample.label = std::move(values);
    }
  }
  return sample;
}

std::string PackSamples::ExtensionOf(const RecordPart& part, std::string_view bytes) const {
  if (jpeg_) return "jpg";
  std::string extension = IsWhole(part) ? ExtensionOfKey(part.object_key) : "";
  return extension.empty() ? ExtensionOfBytes(bytes) : extension;
}

LabelColumn LabelsOf(const Dataset& dataset, const std::vector<uint64_t>& indices) {
  LabelColumn column;
  column.kind = dataset.label_kind();
  column.classes = dataset.classes();
  column.width = dataset.label_width();
  for (const uint64_t index : indices) {
    if (column.kind == LabelKind::kClass || column.kind == LabelKind::kInteger) {
      column.integers.push_back(dataset.LabelInteger(index));
    } else if (column.kind != LabelKind::kNone) {
      for (size_t i = 0; i < column.width; ++i) column.floats.push_back(dataset.LabelFloat(index, i));
    }
  }
  return column;
}

uint64_t LabelsFingerprint(const Dataset& dataset) {
  uint64_t hash = static_cast<uint64_t>(dataset.label_kind());
  for (const std::string& name : dataset.classes()) hash = StableHash64(name, hash);
  std::vector<uint64_t> indices;
  for (uint64_t first = 0; first < dataset.size(); first += kHashedAtOnce) {
    indices.clear();
    for (uint64_t i = first; i < std::min(first + kHashedAtOnce, dataset.size()); ++i) indices.push_back(i);
    const LabelColumn labels = LabelsOf(dataset, indices);
    const auto bytes_of = [](const auto& values) {
      return std::string_view(reinterpret_cast<const char*>(values.data()),
                              values.size() * sizeof values.front());
    };
    hash = StableHash64(bytes_of(labels.integers), hash);
    hash = StableHash64(bytes_of(labels.floats), hash);
  }
  return hash;
}

}  // namespace bucketline
