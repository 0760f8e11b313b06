#include "bucketline/train/safetensors.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/json_numbers.h"

namespace bucketline {
namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit

struct TypeEntry {
  TensorType type;
  std::string_view name;
  size_t bytes;
};
constexpr TypeEntry kTypes[] = {{TensorType::kFloat32, "F32", 4}, {TensorType::kFloat64, "F64", 8},
                                {TensorType::kFloat16, "F16", 2}, {TensorType::kBfloat16, "BF16", 2},
                                {TensorType::kInt64, "I64", 8},   {TensorType::kInt32, "I32", 4},
                                {TensorType::kInt16, "I16", 2},   {TensorType::kInt8, "I8", 1},
                                {TensorType::kUint8, "U8", 1},    {TensorType::kBool, "BOOL", 1}};

const TypeEntry& EntryOf(TensorType type) {
  return *std::find_if(std::begin(kTypes), std::end(kTypes),
                       [type](const TypeEntry& entry) { return entry.type == type; });
}

Error Corrupt(std::string message) {
  return Error(ErrorCode::kCorruptData, "not a whole safetensors file: " + std::move(message));
}

uint64_t ElementCount(const std::vector<int64_t>& shape, std::string_view name) {
  uint64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) throw Corrupt(fmt::format("tensor {} has a negative dimension", name));
    if (dimension != 0 &&
        count > std::numeric_limits<uint64_t>::max() / 16 / static_cast<uint64_t>(dimension)) {
      throw Corrupt(fmt::format("tensor {} is larger than can be", name));
    }
    count *= static_cast<uint64_t>(dimension);
  }
  return count;
}

TensorType ParseType(const std::string& type, std::string_view name) {
  for (const TypeEntry& entry : kTypes) {
    if (entry.name == type) return entry.type;
  }
  throw Error(ErrorCode::kUnsupported,
              fmt::format("tensor {} is of type {}; convert it to F32 first", name, type));
}

TensorView ParseTensor(const std::string& name, const nlohmann::json& entry, std::span<const uint8_t> data) {
  TensorView view;
  view.type = ParseType(entry.at("dtype").get<std::string>(), name);
  for (const nlohmann::json& dimension : entry.at("shape")) {
    view.shape.push_back(static_cast<int64_t>(WholeNumber(dimension)));
  }
  const uint64_t begin = WholeNumber(entry.at("data_offsets").at(0));
  const uint64_t end = WholeNumber(entry.at("data_offsets").at(1));
  if (begin > end || end > data.size()) throw Corrupt(fmt::format("tensor {} lies outside the file", name));
  if (end - begin != ElementCount(view.shape, name) * TensorTypeBytes(view.type)) {
    throw Corrupt(
        fmt::format("tensor {} has {} bytes, which is not what its shape needs", name, end - begin));
  }
  view.data = data.subspan(begin, end - begin);
  return view;
}

}  // namespace

size_t TensorTypeBytes(TensorType type) { return EntryOf(type).bytes; }

Bytes WriteSafetensors(const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    if (ElementCount(tensor.shape, name) * TensorTypeBytes(tensor.type) != tensor.data.size()) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("tensor {}: data and shape disagree", name));
    }
    header[name] = {{"dtype", EntryOf(tensor.type).name},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that tensor data starts aligned

  std::vector<uint8_t> file;
  file.reserve(kLengthBytes + text.size() + offset);
  for (size_t i = 0; i < kLengthBytes; ++i) file.push_back(static_cast<uint8_t>(text.size() >> (8 * i)));
  file.insert(file.end(), text.begin(), text.end());
  for (const auto& [name, tensor] : tensors) file.insert(file.end(), tensor.data.begin(), tensor.data.end());
  return Bytes::FromVector(std::move(file));
}

SafetensorsFile::SafetensorsFile(Bytes bytes) : bytes_(std::move(bytes)) {
  if (bytes_.size() < kLengthBytes) throw Corrupt(fmt::format("{} bytes are too few", bytes_.size()));
  uint64_t header_size = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) header_size |= uint64_t{bytes_.data()[i]} << (8 * i);
  if (header_size > kMaxHeaderBytes || header_size > bytes_.size() - kLengthBytes) {
    throw Corrupt(fmt::format("its header should have {} bytes", header_size));
  }
  const std::string_view text = bytes_.view().substr(kLengthBytes, header_size);
  const std::span<const uint8_t> data = bytes_.span().subspan(kLengthBytes + header_size);
  std::vector<std::pair<const uint8_t*, const uint8_t*>> extents;
  try {
    const nlohmann::json header = nlohmann::json::parse(text);
    if (!header.is_object()) throw Corrupt("its header is not a JSON object");
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        metadata_ = entry.get<std::map<std::string, std::string>>();
        continue;
      }
      TensorView view = ParseTensor(name, entry, data);
      if (!view.data.empty()) extents.emplace_back(view.data.data(), view.data.data() + view.data.size());
      tensors_.emplace(name, std::move(view));
    }
  } catch (const nlohmann::json::exception& exception) {
    throw Corrupt(fmt::format("its header does not parse ({})", exception.what()));
  }
  std::sort(extents.begin(), extents.end());
  for (size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].first < extents[i - 1].second) throw Corrupt("two tensors overlap");
  }
}

}  // namespace bucketline
