#include "bucketline/records/tfds_info.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

nlohmann::json Parse(std::string_view text, std::string_view name) {
  nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (object.is_object()) return object;
  throw Error(ErrorCode::kCorruptData, fmt::format("{} is no JSON object", name));
}

// Features of features are named by their path, as in the records: "objects/label".
void AddFeatures(const nlohmann::json& features, const std::string& path, TfdsInfo* info) {
  for (const auto& [name, feature] : features.items()) {
    const std::string full = path.empty() ? name : fmt::format("{}/{}", path, name);
    if (feature.contains("image")) info->images.push_back(full);
    if (feature.contains("classLabel")) info->class_labels.push_back(full);
    if (feature.contains("featuresDict")) AddFeatures(feature.at("featuresDict").at("features"), full, info);
  }
}

}  // namespace

TfdsInfo ReadTfdsInfo(std::string_view dataset_info, std::string_view features) {
  const nlohmann::json about = Parse(dataset_info, "dataset_info.json");
  const nlohmann::json described = Parse(features, "features.json");
  try {
    const std::string format = about.value("fileFormat", "tfrecord");
    if (format != "tfrecord") {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("the dataset was prepared as {}, and TFRecords are read; prepare it with "
                              "file_format=\"tfrecord\"",
                              format));
    }
    TfdsInfo info;
    for (const nlohmann::json& split : about.value("splits", nlohmann::json::array())) {
      info.splits.push_back(split.at("name").get<std::string>());
    }
    AddFeatures(described.at("featuresDict").at("features"), "", &info);
    return info;
  } catch (const nlohmann::json::exception& error) {
    throw Error(
        ErrorCode::kCorruptData,
        fmt::format("dataset_info.json and features.json are not as TensorFlow Datasets writes them: {}",
                    error.what()));
  }
}

bool IsShardOfSplit(std::string_view key, std::string_view split) {
  const std::string_view name = key.substr(key.rfind('/') + 1);
  return name.find(fmt::format("-{}.tfrecord-", split)) != std::string_view::npos;
}

std::vector<std::string> ReadLabelNames(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) names.emplace_back(line);
  }
  return names;
}

}  // namespace bucketline
