#include "bucketline/records/mds_columns.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/base/json_numbers.h"

namespace bucketline {
namespace {

constexpr int kVersion = 2;

// numpy's bytes, little-endian as this machine is.
template <typename Stored, typename Value>
std::optional<LabelValue> Number(std::string_view bytes) {
  Stored stored;
  if (bytes.size() != sizeof stored) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&stored));
  return static_cast<Value>(stored);
}

using Reader = std::optional<LabelValue> (*)(std::string_view bytes);
struct NumberEncoding {
  std::string_view name;
  Reader read;
};
constexpr NumberEncoding kNumbers[] = {
    {"int", Number<int64_t, int64_t>},     {"int64", Number<int64_t, int64_t>},
    {"int32", Number<int32_t, int64_t>},   {"int16", Number<int16_t, int64_t>},
    {"int8", Number<int8_t, int64_t>},     {"uint64", Number<uint64_t, int64_t>},
    {"uint32", Number<uint32_t, int64_t>}, {"uint16", Number<uint16_t, int64_t>},
    {"uint8", Number<uint8_t, int64_t>},   {"float64", Number<double, double>},
    {"float32", Number<float, double>},
};

// Texts, and what is bytes or a file as it is.
constexpr std::string_view kTexts[] = {"str", "str_int", "str_float", "str_decimal", "json", "bytes"};
constexpr std::string_view kFiles[] = {"bytes", "jpeg", "png"};

template <size_t kCount>
bool IsOneOf(std::string_view name, const std::string_view (&names)[kCount]) {
  for (const std::string_view each : names) {
    if (each == name) return true;
  }
  return false;
}

Reader FindNumber(std::string_view encoding) {
  for (const NumberEncoding& number : kNumbers) {
    if (number.name == encoding) return number.read;
  }
  return nullptr;
}

std::vector<MdsColumn> ColumnsOf(const nlohmann::json& object) {
  const auto names = object.at("column_names").get<std::vector<std::string>>();
  const auto encodings = object.at("column_encodings").get<std::vector<std::string>>();
  const nlohmann::json& sizes = object.at("column_sizes");
  if (encodings.size() != names.size() || sizes.size() != names.size()) {
    throw Error(ErrorCode::kCorruptData,
                "the shard's columns have names, encodings and sizes of different number");
  }
  std::vector<MdsColumn> columns;
  for (size_t i = 0; i < names.size(); ++i) {
    MdsColumn& column = columns.emplace_back(MdsColumn{names[i], encodings[i], std::nullopt});
    const uint64_t size = sizes[i].is_null() ? 0 : WholeNumber(sizes[i]);
    if (size != 0) column.size = size;
  }
  return columns;
}

}  // namespace

std::vector<MdsColumn> ReadMdsColumns(std::string_view json) {
  try {
    const nlohmann::json object = nlohmann::json::parse(json);
    if (object.at("format") != "mds" || object.at("version") != kVersion) {
      throw Error(ErrorCode::kUnsupported,
                  fmt::format("the shard has the format {} of version {}, and \"mds\" of version {} is read",
                              object.at("format").dump(), object.at("version").dump(), kVersion));
    }
    return ColumnsOf(object);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorCode::kCorruptData,
                fmt::format("the object that names the columns does not parse: {}", error.what()));
  }
}

std::optional<std::string> WhyNoPart(const MdsColumn& column) {
  if (IsOneOf(column.encoding, kFiles)) return std::nullopt;
  if (FindNumber(column.encoding) != nullptr) return fmt::format("is a number ({})", column.encoding);
  return fmt::format("has the encoding \"{}\", which is no file's", column.encoding);
}

std::optional<LabelValue> ValueOfMds(const MdsColumn& column, std::string_view bytes) {
  if (const Reader read = FindNumber(column.encoding)) return read(bytes);
  if (IsOneOf(column.encoding, kTexts)) return std::string(bytes);
  return std::nullopt;
}

}  // namespace bucketline
