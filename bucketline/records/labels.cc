#include "bucketline/records/labels.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/base/uri.h"
#include "bucketline/records/label_table.h"
#include "bucketline/records/label_values.h"

namespace bucketline {
namespace {

// `key` below `prefix`; where the prefix ends within a folder's name ("tr" for "train/cat/1.jpg"), that whole
// folder is below it. nullopt when the key is elsewhere.
std::optional<std::string_view> Below(std::string_view key, std::string_view prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = key.substr(prefix.size());
  if (prefix.empty() || prefix.ends_with('/')) return rest;
  if (rest.starts_with('/')) return rest.substr(1);
  const size_t slash = prefix.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

// The label of `key` by its folders; throws naming the key.
std::string FolderOf(std::string_view key, std::string_view prefix, bool first, const std::string& source) {
  const std::optional<std::string_view> below = first ? Below(key, prefix) : key;
  if (!below) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("the key \"{}\" is not below \"{}\"", key, prefix),
                source);
  }
  const size_t end = first ? below->find('/') : below->rfind('/');
  std::string_view folder = end == std::string_view::npos ? std::string_view() : below->substr(0, end);
  if (!first) folder = folder.substr(folder.rfind('/') + 1);
  if (folder.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the key \"{}\" has no folder{} to take its label from; put it into one, leave it out of "
                    "the dataset, or give labels in a table",
                    key, first ? fmt::format(" below \"{}\"", prefix) : ""),
        source);
  }
  return std::string(folder);
}

// Rows by key. A key may stand twice if its labels agree.
std::unordered_map<std::string_view, const LabelRow*> Index(const LabelTable& table) {
  std::unordered_map<std::string_view, const LabelRow*> index;
  index.reserve(table.rows.size());
  for (const LabelRow& row : table.rows) {
    const auto [found, added] = index.emplace(row.key, &row);
    if (added || found->second->value == row.value) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{}: the key \"{}\" has another label than in {}", table.Place(row), row.key,
                            table.Place(*found->second)),
                table.uri);
  }
  return index;
}

// How a table may write a record's key, in the order in which they are tried.
struct KeyForm {
  std::string_view name;
  std::vector<const LabelRow*> rows;  // one a record; null where the table has none
  uint64_t matches = 0;
  uint64_t first_match = 0;
  uint64_t first_miss = 0;

  void Add(uint64_t record, const LabelRow* row) {
    rows.push_back(row);
    if (row != nullptr && matches++ == 0) first_match = record;
    if (row == nullptr && matches == record) first_miss = record;
  }
};

std::string UriPrefixOf(const std::string& source) {
  const Result<Uri> uri = Catch([&] { return Uri::Parse(source); });
  return uri.ok() && uri->scheme != "file" ? fmt::format("{}://{}/", uri->scheme, uri->bucket)
                                           : std::string();
}

// What is wrong with a table of which no form of keys fits all records; `best` fits most, `other` the next
// most.
std::string UnmatchedMessage(const LabelTable& table, const Manifest& manifest, const KeyForm& best,
                             const KeyForm& other) {
  if (table.rows.empty()) return "the table has no rows";
  if (best.matches == 0) {
    return fmt::format(
        "no key in the table is in the dataset: the table has, say, \"{}\" and the dataset \"{}\"; "
        "write whole URIs, keys, or keys below the dataset's prefix",
        table.rows.front().key, manifest.Key(0));
  }
  if (other.matches > 0 && best.rows[other.first_match] == nullptr) {
    const LabelRow& a = *best.rows[best.first_match];
    const LabelRow& b = *other.rows[other.first_match];
    return fmt::format("the table mixes forms of keys: \"{}\" ({}) is {} and \"{}\" ({}) is {}; use one form",
                       a.key, table.Place(a), best.name, b.key, table.Place(b), other.name);
  }
  const uint64_t missing = manifest.size() - best.matches;
  return fmt::format("the table has no label for \"{}\"{}", manifest.Key(best.first_miss),
                     missing > 1 ? fmt::format(" and {} more keys of the dataset", missing - 1) : "");
}

// The row of each record.
std::vector<const LabelRow*> RowsOf(const Manifest& manifest, std::string_view prefix,
                                    const LabelTable& table) {
  const auto index = Index(table);
  const auto find = [&](std::string_view key) {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : found->second;
  };
  const std::string uri_prefix = UriPrefixOf(manifest.source());
  KeyForm forms[] = {{.name = "a whole URI", .rows = {}},
                     {.name = "a key", .rows = {}},
                     {.name = "a key below the prefix", .rows = {}}};
  for (uint64_t i = 0; i < manifest.size(); ++i) {
    const std::string key = manifest.Key(i);
    const std::optional<std::string_view> below = Below(key, prefix);
    forms[0].Add(i, uri_prefix.empty() ? nullptr : find(uri_prefix + key));
    forms[1].Add(i, find(key));
    forms[2].Add(i, below && below->size() < key.size() ? find(*below) : nullptr);
  }
  for (KeyForm& form : forms) {
    if (form.matches == manifest.size()) return std::move(form.rows);
  }
  std::stable_sort(std::begin(forms), std::end(forms),
                   [](const KeyForm& a, const KeyForm& b) { return a.matches > b.matches; });
  throw Error(ErrorCode::kInvalidArgument, UnmatchedMessage(table, manifest, forms[0], forms[1]), table.uri);
}

}  // namespace

Labels Labels::None() { return {}; }

Labels Labels::Folder() {
  Labels labels;
  labels.form_ = Form::kFolder;
  return labels;
}

Labels Labels::Parent() {
  Labels labels;
  labels.form_ = Form::kParent;
  return labels;
}

Labels Labels::Table(std::string uri, std::string key_field, std::string label_field) {
  Labels labels;
  labels.form_ = Form::kTable;
  labels.table_uri_ = std::move(uri);
  labels.key_field_ = std::move(key_field);
  labels.label_field_ = std::move(label_field);
  return labels;
}

Labels& Labels::Classes(std::vector<std::string> classes) {
  classes_ = std::move(classes);
  return *this;
}

LabelColumn Labels::Resolve(const Manifest& manifest, std::string_view prefix,
                            std::string_view table_bytes) const {
  if (form_ == Form::kNone) return {};
  if (form_ == Form::kTable) {
    const LabelTable table = ReadLabelTable(table_uri_, table_bytes, key_field_, label_field_);
    return ColumnOfRows(table, RowsOf(manifest, prefix, table), classes_);
  }
  std::vector<std::string> folders;
  for (uint64_t i = 0; i < manifest.size(); ++i) {
    folders.push_back(FolderOf(manifest.Key(i), prefix, form_ == Form::kFolder, manifest.source()));
  }
  try {
    return ColumnOfNames({folders.begin(), folders.end()}, classes_);
  } catch (const Error& error) {
    throw error.WithUri(manifest.source());
  }
}

}  // namespace bucketline
