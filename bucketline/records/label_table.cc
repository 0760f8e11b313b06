#include "bucketline/records/label_table.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/records/csv.h"

namespace bucketline {
namespace {

using nlohmann::json;

[[noreturn]] void Throw(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

// The place of `name` among the header line's columns.
size_t ColumnOf(const std::vector<std::string>& columns, const std::string& name) {
  const auto count = std::count(columns.begin(), columns.end(), name);
  if (count == 1)
    return static_cast<size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
  Throw(fmt::format("line 1: {} column \"{}\"; the columns are: {}",
                    count == 0 ? "there is no" : "more than one", name, fmt::join(columns, ", ")));
}

void ReadCsv(std::string_view bytes, const std::string& key_field, const std::string& label_field,
             LabelTable* table) {
  CsvReader reader(bytes);
  const std::optional<std::vector<std::string>> columns = reader.Next();
  if (!columns) Throw("the table is empty; its first line must name the columns");
  const size_t key = ColumnOf(*columns, key_field);
  const size_t label = ColumnOf(*columns, label_field);
  while (auto fields = reader.Next()) {
    if (fields->size() != columns->size()) {
      Throw(fmt::format("line {}: {} fields where the header line names {}: {}", reader.line(),
                        fields->size(), columns->size(), fmt::join(*columns, ", ")));
    }
    table->rows.push_back(
        {.key = (*fields)[key], .value = LabelValue((*fields)[label]), .place = reader.line()});
  }
}

// `what` names the place: "line 3: the label of \"a.jpg\"".
LabelValue ValueOf(const json& value, const std::string& what) {
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

LabelRow RowOf(const json& object, const std::string& key_field, const std::string& label_field,
               std::string_view place_name, uint64_t place) {
  const std::string where = fmt::format("{} {}", place_name, place);
  if (!object.is_object()) {
    Throw(fmt::format("{}: an object with \"{}\" and \"{}\" is needed where {} stands", where, key_field,
                      label_field, object.type_name()));
  }
  const auto field = [&](const std::string& name) -> const json& {
    const auto found = object.find(name);
    if (found != object.end()) return *found;
    std::vector<std::string> names;
    for (const auto& item : object.items()) names.push_back(item.key());
    Throw(fmt::format("{}: there is no \"{}\"; the fields are: {}", where, name, fmt::join(names, ", ")));
  };
  const json& key = field(key_field);
  if (!key.is_string())
    Throw(fmt::format("{}: \"{}\" is {} where a key is needed", where, key_field, key.type_name()));
  const std::string what = fmt::format("{}: the label of \"{}\"", where, key.get<std::string>());
  return {.key = key.get<std::string>(), .value = ValueOf(field(label_field), what), .place = place};
}

// Collects {key: label} while it is parsed: an object in memory would forget the first of two equal keys.
json::parser_callback_t CollectMembers(LabelTable* table, std::string* key) {
  return [table, key](int depth, json::parse_event_t event, json& parsed) {
    if (depth != 1) return true;
    if (event == json::parse_event_t::key) *key = parsed.get<std::string>();
    if (event == json::parse_event_t::value || event == json::parse_event_t::array_end ||
        event == json::parse_event_t::object_end) {
      const uint64_t place = table->rows.size() + 1;
      const std::string what = fmt::format("entry {}: the label of \"{}\"", place, *key);
      table->rows.push_back({.key = *key, .value = ValueOf(parsed, what), .place = place});
    }
    return true;
  };
}

// Parses and turns what nlohmann says into a line number from `first_line` on.
json Parse(std::string_view text, uint64_t first_line, const json::parser_callback_t& callback = nullptr) {
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

void ReadJson(std::string_view bytes, const std::string& key_field, const std::string& label_field,
              LabelTable* table) {
  const size_t start = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (start == std::string_view::npos) Throw("the table is empty");
  if (bytes[start] == '{') {
    std::string key;
    Parse(bytes, 1, CollectMembers(table, &key));
    return;
  }
  const json list = Parse(bytes, 1);
  if (!list.is_array())
    Throw(fmt::format("{{key: label}} or a list of objects is needed, this is {}", list.type_name()));
  for (const json& object : list) {
    table->rows.push_back(RowOf(object, key_field, label_field, "entry", table->rows.size() + 1));
  }
}

void ReadJsonLines(std::string_view bytes, const std::string& key_field, const std::string& label_field,
                   LabelTable* table) {
  for (uint64_t line = 1; !bytes.empty(); ++line) {
    const size_t size = std::min(bytes.find('\n'), bytes.size());
    const std::string_view text = bytes.substr(0, size);
    bytes.remove_prefix(std::min(size + 1, bytes.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    table->rows.push_back(RowOf(Parse(text, line), key_field, label_field, "line", line));
  }
  if (table->rows.empty()) Throw("the table is empty");
}

}  // namespace

std::string LabelTable::Place(const LabelRow& row) const {
  return fmt::format("{} {}", place_name, row.place);
}

LabelTable ReadLabelTable(const std::string& uri, std::string_view bytes, const std::string& key_field,
                          const std::string& label_field) {
  LabelTable table;
  table.uri = uri;
  std::string lower = uri;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  try {
    if (lower.ends_with(".csv")) {
      table.place_name = "line";
      ReadCsv(bytes, key_field, label_field, &table);
    } else if (lower.ends_with(".jsonl")) {
      table.place_name = "line";
      table.typed = true;
      ReadJsonLines(bytes, key_field, label_field, &table);
    } else if (lower.ends_with(".json")) {
      table.place_name = "entry";
      table.typed = true;
      ReadJson(bytes, key_field, label_field, &table);
    } else {
      Throw("a table of labels must be a .csv, .json or .jsonl");
    }
  } catch (const Error& error) {
    throw error.WithUri(uri);
  }
  return table;
}

}  // namespace bucketline
