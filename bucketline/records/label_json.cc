#include "bucketline/records/label_json.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using nlohmann::json;

[[noreturn]] void Throw(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

}  // namespace

json ParseLabelJson(std::string_view text, uint64_t first_line, const json::parser_callback_t& callback) {
  try {
    return json::parse(text.begin(), text.end(), callback);
  } catch (const json::parse_error& error) {
    const std::string_view before = text.substr(0, std::min(error.byte, text.size()));
    const auto line = first_line + static_cast<uint64_t>(std::count(before.begin(), before.end(), '\n'));
    Throw(fmt::format("line {}: this is not JSON, at byte {} of {}", line, error.byte,
                      first_line > 1 ? "the line" : "the text"));
  } catch (const json::exception&) {
    Throw(fmt::format("line {} or later: a number that is out of range", first_line));
  }
}

LabelValue LabelOfJson(const json& value, const std::string& what) {
  const auto number = [&](const json& item) {
    if (!item.is_number()) Throw(fmt::format("{} is a list with something else than numbers in it", what));
    return item.get<double>();
  };
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return int64_t{value.get<bool>() ? 1 : 0};
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
    Throw(fmt::format("{} is {}, which has more than 63 bits", what, value.get<uint64_t>()));
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number_float()) return value.get<double>();
  if (!value.is_array())
    Throw(fmt::format("{} is {}; give text, a number or a list", what, value.type_name()));
  std::vector<double> list;
  for (const json& item : value) list.push_back(number(item));
  return list;
}

std::string FieldNames(const json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace bucketline
