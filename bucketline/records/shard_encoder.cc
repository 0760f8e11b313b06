#include "bucketline/records/shard_encoder.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace bucketline {
namespace {

constexpr std::array kEncodings = {&kTarEncoding, &kTfRecordEncoding, &kMdsEncoding};

}  // namespace

const ShardEncoding* FindShardEncoding(std::string_view name) {
  const auto found =
      std::find_if(kEncodings.begin(), kEncodings.end(), [&](const auto* one) { return one->name == name; });
  return found == kEncodings.end() ? nullptr : *found;
}

std::string ShardEncodingNames() {
  std::string names;
  for (const ShardEncoding* one : kEncodings) names.append(names.empty() ? "" : " | ").append(one->name);
  return names;
}

std::string SampleJson(const PackSchema& schema, const SampleToPack& sample) {
  nlohmann::ordered_json object;
  if (schema.classes) object["class"] = sample.class_name;
  object["key"] = sample.key;
  if (const auto* integer = std::get_if<int64_t>(&sample.label)) object["label"] = *integer;
  if (const auto* number = std::get_if<float>(&sample.label)) object["label"] = *number;
  if (const auto* vector = std::get_if<std::vector<float>>(&sample.label)) object["label"] = *vector;
  // Keys are bytes; JSON is UTF-8.
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace bucketline
