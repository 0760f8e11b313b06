#include "bucketline/records/label_rows.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/base/uri.h"
#include "bucketline/records/key_folders.h"

namespace bucketline {
namespace {

// Rows by key. A key may stand twice if its labels agree.
using RowIndex = std::unordered_map<std::string_view, const LabelRow*>;

RowIndex Index(const LabelTable& table) {
  RowIndex index;
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

const LabelRow* FindRow(const RowIndex& index, std::string_view key) {
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

// How a table may write a record's key, in the order in which they are tried.
struct KeyForm {
  std::string_view name;
  std::vector<const LabelRow*> rows;  // one a record; null where the table has none
  uint64_t matches = 0;
  uint64_t first_match = 0;

  void Add(uint64_t record, const LabelRow* row) {
    rows.push_back(row);
    if (row != nullptr && matches++ == 0) first_match = record;
  }
};

std::string UriPrefixOf(const std::string& source) {
  const Result<Uri> uri = Catch([&] { return Uri::Parse(source); });
  return uri.ok() && uri->scheme != "file" ? fmt::format("{}://{}/", uri->scheme, uri->bucket)
                                           : std::string();
}

// Calls `visit(number, key, manifest)` for each record.
template <typename Visit>
void ForEachKey(const ManifestList& records, Visit visit) {
  for (size_t m = 0; m < records.manifests().size(); ++m) {
    const Manifest& manifest = records.manifests()[m];
    for (uint64_t i = 0; i < manifest.size(); ++i) visit(records.FirstOf(m) + i, manifest.Key(i), m);
  }
}

[[noreturn]] void ThrowNoMatch(const LabelTable& table, const ManifestList& records,
                               std::string_view advice) {
  throw Error(ErrorCode::kInvalidArgument,
              table.rows.empty()
                  ? "the table has no rows"
                  : fmt::format("no key in the table is in the dataset: the table has, say, \"{}\" and the "
                                "dataset \"{}\"; {}",
                                table.rows.front().key, records.Key(0), advice),
              table.uri);
}

std::vector<const LabelRow*> RowsByKey(const ManifestList& records, const std::vector<std::string>& prefixes,
                                       const LabelTable& table, const RowIndex& index) {
  KeyForm forms[] = {{.name = "a whole URI", .rows = {}},
                     {.name = "a key", .rows = {}},
                     {.name = "a key below the prefix", .rows = {}}};
  std::vector<std::string> uri_prefixes;
  for (const Manifest& manifest : records.manifests()) uri_prefixes.push_back(UriPrefixOf(manifest.source()));
  ForEachKey(records, [&](uint64_t number, const std::string& key, size_t m) {
    const std::optional<std::string_view> below = KeyBelow(key, prefixes[m]);
    forms[0].Add(number, uri_prefixes[m].empty() ? nullptr : FindRow(index, uri_prefixes[m] + key));
    forms[1].Add(number, FindRow(index, key));
    forms[2].Add(number, below && below->size() < key.size() ? FindRow(index, *below) : nullptr);
  });
  std::stable_sort(std::begin(forms), std::end(forms),
                   [](const KeyForm& a, const KeyForm& b) { return a.matches > b.matches; });
  KeyForm& best = forms[0];
  const KeyForm& other = forms[1];
  if (best.matches == 0 && records.size() > 0) {
    ThrowNoMatch(table, records, "write whole URIs, keys, or keys below the dataset's prefix");
  }
  if (other.matches > 0 && best.rows[other.first_match] == nullptr) {
    const LabelRow& a = *best.rows[best.first_match];
    const LabelRow& b = *other.rows[other.first_match];
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the table mixes forms of keys: \"{}\" ({}) is {} and \"{}\" ({}) is {}; use one form",
                    a.key, table.Place(a), best.name, b.key, table.Place(b), other.name),
        table.uri);
  }
  return std::move(best.rows);
}

std::vector<const LabelRow*> RowsByName(const ManifestList& records, const LabelTable& table,
                                        const RowIndex& index) {
  std::vector<const LabelRow*> rows;
  std::unordered_map<const LabelRow*, uint64_t> taken;
  ForEachKey(records, [&](uint64_t number, const std::string& key, size_t) {
    const LabelRow* row = FindRow(index, NameOfKey(key));
    rows.push_back(row);
    if (row == nullptr) return;
    const auto [other, first] = taken.emplace(row, number);
    if (first) return;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: the name \"{}\" is that of both \"{}\" and \"{}\"; write keys, and match by key",
                    table.Place(*row), row->key, records.Key(other->second), key),
        table.uri);
  });
  if (taken.empty() && records.size() > 0) {
    ThrowNoMatch(table, records, "write what follows the last \"/\" of a key, or match by key");
  }
  return rows;
}

}  // namespace

std::vector<const LabelRow*> RowsOf(const ManifestList& records, const std::vector<std::string>& prefixes,
                                    const LabelTable& table, KeyMatch match) {
  const RowIndex index = Index(table);
  return match == KeyMatch::kKey ? RowsByKey(records, prefixes, table, index)
                                 : RowsByName(records, table, index);
}

}  // namespace bucketline
