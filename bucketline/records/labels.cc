#include "bucketline/records/labels.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/key_folders.h"
#include "bucketline/records/label_column.h"
#include "bucketline/records/label_pattern.h"
#include "bucketline/records/label_rows.h"
#include "bucketline/records/label_table.h"
#include "bucketline/records/label_values.h"

namespace bucketline {
namespace {

// The first folder of `key` below `prefix`; nullopt without one.
std::optional<std::string> FirstFolder(const std::string& key, std::string_view prefix,
                                       const std::string& source) {
  const std::optional<std::string_view> below = KeyBelow(key, prefix);
  if (!below) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("the key \"{}\" is not below \"{}\"", key, prefix),
                source);
  }
  const size_t end = below->find('/');
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  return std::string(below->substr(0, end));
}

std::optional<std::string> LastFolder(const std::string& key) {
  const std::string_view folder = NameOfKey(FolderOfKey(key));
  if (folder.empty()) return std::nullopt;
  return std::string(folder);
}

Error NoLabelError(std::string message, std::string uri = "") {
  return Error(ErrorCode::kInvalidArgument, std::move(message), std::move(uri));
}

// The numbers of those records whose `labels` have nothing, by the policy; `why` is the error of one of them.
template <typename T, typename Why>
std::vector<uint64_t> Unlabelled(const std::vector<T>& labels, Missing missing, Why why) {
  std::vector<uint64_t> numbers;
  for (uint64_t i = 0; i < labels.size(); ++i) {
    if (!labels[i]) numbers.push_back(i);
  }
  if (numbers.empty()) return numbers;
  if (missing == Missing::kDrop && numbers.size() < labels.size()) return numbers;
  const Error first = why(numbers.front());
  const std::string others = numbers.size() == 1
                                 ? ""
                                 : fmt::format("; {} more of the {} records have no label either",
                                               numbers.size() - 1, labels.size());
  const std::string_view advice = missing == Missing::kError ? "; missing drop leaves such records out" : "";
  throw Error(first.code(), fmt::format("{}{}{}", first.message(), others, advice), first.uri());
}

}  // namespace

Labels Labels::None() { return Labels(Form::kNone); }
Labels Labels::Folder() { return Labels(Form::kFolder); }
Labels Labels::Parent() { return Labels(Form::kParent); }

Labels Labels::Table(std::string uri, std::string key_field, std::string label_field) {
  Labels labels(Form::kTable);
  labels.table_uri_ = std::move(uri);
  labels.key_field_ = std::move(key_field);
  labels.label_field_ = std::move(label_field);
  return labels;
}

Labels Labels::TableText(std::string json) {
  Labels labels = Table("");
  labels.table_text_ = std::move(json);
  return labels;
}

Labels Labels::Pattern(std::string expression) {
  static_cast<void>(LabelPattern(expression));  // throws now rather than after a listing
  Labels labels(Form::kPattern);
  labels.pattern_ = std::move(expression);
  return labels;
}

Labels Labels::Sidecar(std::string name, std::string label_field) {
  static_cast<void>(SidecarName(name));  // throws now rather than after a listing
  Labels labels(Form::kSidecar);
  labels.sidecar_name_ = std::move(name);
  labels.label_field_ = std::move(label_field);
  return labels;
}

Labels Labels::Member(std::string name, std::string label_field) {
  if (name.empty()) throw NoLabelError("the member that holds the labels needs a name");
  Labels labels(Form::kMember);
  labels.member_ = std::move(name);
  labels.label_field_ = std::move(label_field);
  return labels;
}

Labels& Labels::Classes(std::vector<std::string> classes) {
  classes_ = std::move(classes);
  return *this;
}

Labels& Labels::Match(KeyMatch match) {
  match_ = match;
  return *this;
}

Labels& Labels::IfMissing(Missing missing) {
  missing_ = missing;
  return *this;
}

Labels& Labels::OneHot() {
  one_hot_ = true;
  return *this;
}

Labelling Labels::Resolve(const ManifestList& records, const std::vector<std::string>& prefixes,
                          const LabelFiles& files) const {
  if (form_ == Form::kNone) return {};
  Labelling labelling = form_ == Form::kTable ? ByTable(records, prefixes, files.table)
                        : form_ == Form::kSidecar || form_ == Form::kMember ? BySidecar(files.sidecars)
                                                                            : ByKey(records, prefixes);
  if (one_hot_) labelling.column = OneHotLabels(labelling.column);
  return labelling;
}

Labelling Labels::ByTable(const ManifestList& records, const std::vector<std::string>& prefixes,
                          std::string_view table_bytes) const {
  const bool given = !table_text_.empty();
  const std::string name = given ? "given labels.json" : table_uri_;
  const LabelTable table = ReadLabelTable(name, given ? table_text_ : table_bytes, key_field_, label_field_);
  std::vector<const LabelRow*> rows = RowsOf(records, prefixes, table, match_);
  Labelling labelling;
  labelling.unlabelled = Unlabelled(rows, missing_, [&](uint64_t record) {
    return NoLabelError(fmt::format("the table has no label for \"{}\"", records.Key(record)), name);
  });
  std::erase(rows, nullptr);
  labelling.column = ColumnOfRows(table, rows, classes_);
  return labelling;
}

Labelling Labels::BySidecar(const std::vector<SidecarLabel>& sidecars) const {
  std::vector<const LabelRow*> rows;
  rows.reserve(sidecars.size());
  for (const SidecarLabel& sidecar : sidecars) rows.push_back(std::get_if<LabelRow>(&sidecar));
  Labelling labelling;
  labelling.unlabelled = Unlabelled(
      rows, missing_, [&](uint64_t record) { return NoLabelError(std::get<NoLabel>(sidecars[record]).why); });
  std::erase(rows, nullptr);
  labelling.column = ColumnOfRows(
      {.uri = "", .place_name = "record", .typed = !label_field_.empty(), .rows = {}}, rows, classes_);
  return labelling;
}

std::optional<std::string> Labels::WordOf(const std::string& key, std::string_view prefix,
                                          const std::string& source, const LabelPattern* pattern) const {
  if (pattern != nullptr) return pattern->LabelOf(key);
  return form_ == Form::kFolder ? FirstFolder(key, prefix, source) : LastFolder(key);
}

std::string Labels::WhyNoWord(const std::string& key, std::string_view prefix) const {
  if (form_ == Form::kPattern) {
    return fmt::format("the pattern \"{}\" finds no label in the key \"{}\"", pattern_, key);
  }
  return fmt::format(
      "the key \"{}\" has no folder{} to take its label from; put it into one, leave it out of "
      "the dataset, or give labels in a table",
      key, form_ == Form::kFolder ? fmt::format(" below \"{}\"", prefix) : "");
}

Labelling Labels::ByKey(const ManifestList& records, const std::vector<std::string>& prefixes) const {
  std::optional<LabelPattern> pattern;
  if (form_ == Form::kPattern) pattern.emplace(pattern_);
  std::vector<std::optional<std::string>> words;
  for (size_t m = 0; m < records.manifests().size(); ++m) {
    const Manifest& manifest = records.manifests()[m];
    for (uint64_t i = 0; i < manifest.size(); ++i) {
      words.push_back(WordOf(manifest.Key(i), prefixes[m], manifest.source(), pattern ? &*pattern : nullptr));
    }
  }
  Labelling labelling;
  labelling.unlabelled = Unlabelled(words, missing_, [&](uint64_t record) {
    return NoLabelError(WhyNoWord(records.Key(record), prefixes[records.Find(record).manifest]),
                        records.SourceOf(record));
  });
  std::vector<std::string_view> names;
  for (const auto& word : words) {
    if (word) names.push_back(*word);
  }
  try {
    labelling.column = ClassLabels(names, classes_);
  } catch (const Error& error) {
    throw error.WithUri(records.manifests().empty() ? "" : records.manifests().front().source());
  }
  return labelling;
}

}  // namespace bucketline
