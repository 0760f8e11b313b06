#include "bucketline/records/label_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/records/csv.h"
#include "bucketline/records/label_json.h"

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
    Throw(fmt::format("{}: there is no \"{}\"; the fields are: {}", where, name, FieldNames(object)));
  };
  const json& key = field(key_field);
  if (!key.is_string())
    Throw(fmt::format("{}: \"{}\" is {} where a key is needed", where, key_field, key.type_name()));
  const std::string what = fmt::format("{}: the label of \"{}\"", where, key.get<std::string>());
  return {.key = key.get<std::string>(), .value = LabelOfJson(field(label_field), what), .place = place};
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
      table->rows.push_back({.key = *key, .value = LabelOfJson(parsed, what), .place = place});
    }
    return true;
  };
}

void ReadJson(std::string_view bytes, const std::string& key_field, const std::string& label_field,
              LabelTable* table) {
  const size_t start = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (start == std::string_view::npos) Throw("the table is empty");
  if (bytes[start] == '{') {
    std::string key;
    ParseLabelJson(bytes, 1, CollectMembers(table, &key));
    return;
  }
  const json list = ParseLabelJson(bytes, 1);
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
    table->rows.push_back(RowOf(ParseLabelJson(text, line), key_field, label_field, "line", line));
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
