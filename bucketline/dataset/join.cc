#include "bucketline/dataset/join.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/key_prefix.h"
#include "bucketline/records/key_folders.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

// The records of one dataset by their stems: their keys below the prefix, without the extension.
class StemIndex {
 public:
  // Throws kInvalidArgument naming two keys of one stem.
  StemIndex(std::string name, const Dataset& dataset) : name_(std::move(name)), dataset_(&dataset) {
    prefix_ = FolderPrefix(dataset.manifests().manifests().front());
    for (uint64_t i = 0; i < dataset.size(); ++i) {
      const auto [other, added] = index_.emplace(StemOf(dataset.Key(i)), i);
      if (added) continue;
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("\"{}\" and \"{}\" of the part \"{}\" have the same stem \"{}\"; leave one of them out",
                      dataset.Key(other->second), dataset.Key(i), name_, other->first),
          dataset.source());
    }
  }

  const std::string& name() const { return name_; }
  const Dataset& dataset() const { return *dataset_; }

  std::string StemOf(const std::string& key) const {
    return std::string(StemOfKey(KeyBelow(key, prefix_).value_or(key)));
  }
  std::optional<uint64_t> Find(const std::string& stem) const {
    const auto found = index_.find(stem);
    if (found == index_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::string name_;
  const Dataset* dataset_;
  std::string prefix_;
  std::unordered_map<std::string, uint64_t> index_;
};

void CheckOnePartEach(const std::vector<std::pair<std::string, Dataset>>& parts) {
  if (parts.empty()) throw Error(ErrorCode::kInvalidArgument, "there is no dataset to join");
  for (const auto& [name, dataset] : parts) {
    if (dataset.manifests().manifests().size() == 1 && dataset.part_names().size() == 1) continue;
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the part \"{}\" has several sources or parts itself; join datasets of one source, and "
                    "put the joined ones together",
                    name),
        dataset.source());
  }
}

// Notes the keys that have no partner; the first is named when that is an error.
class Unmatched {
 public:
  void Add(const StemIndex& from, uint64_t record, const StemIndex& in) {
    if (count_++ > 0) return;
    const std::string key = from.dataset().Key(record);
    first_ =
        fmt::format("\"{}\" of the part \"{}\" has no partner in \"{}\": below {} no key has the stem \"{}\"",
                    key, from.name(), in.name(), in.dataset().source(), from.StemOf(key));
    uri_ = from.dataset().UriAt(record);
  }
  uint64_t count() const { return count_; }
  [[noreturn]] void Throw(std::string_view advice) const {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{}{}{}", first_,
                    count_ > 1 ? fmt::format("; {} more keys have no partner either", count_ - 1) : "",
                    advice),
        uri_);
  }

 private:
  uint64_t count_ = 0;
  std::string first_;
  std::string uri_;
};

}  // namespace

JoinedRecords JoinRecords(const std::vector<std::pair<std::string, Dataset>>& parts, Missing missing) {
  CheckOnePartEach(parts);
  std::vector<StemIndex> indexes;
  std::vector<std::string> names;
  std::vector<std::vector<bool>> met;  // of each part's records: the first part has their stem
  for (const auto& [name, dataset] : parts) {
    indexes.emplace_back(name, dataset);
    names.push_back(name);
    met.emplace_back(dataset.size());
  }
  const StemIndex& first = indexes.front();
  ManifestBuilder builder(first.dataset().manifests().manifests().front().source(), names);
  std::vector<uint64_t> joined;  // records of the first dataset
  Unmatched unmatched;
  for (uint64_t i = 0; i < first.dataset().size(); ++i) {
    Record record = first.dataset().RecordAt(i);
    const std::string stem = first.StemOf(record.key);
    bool complete = true;
    for (size_t part = 1; part < indexes.size(); ++part) {
      const std::optional<uint64_t> partner = indexes[part].Find(stem);
      if (partner) {
        met[part][*partner] = true;
        record.parts.push_back(std::move(indexes[part].dataset().RecordAt(*partner).parts.front()));
      } else if (std::exchange(complete, false)) {
        unmatched.Add(first, i, indexes[part]);
      }
    }
    if (!complete) continue;
    builder.Add(std::move(record));
    joined.push_back(i);
  }
  for (size_t part = 1; part < indexes.size(); ++part) {
    for (uint64_t i = 0; i < met[part].size(); ++i) {
      if (!met[part][i]) unmatched.Add(indexes[part], i, first);
    }
  }
  if (unmatched.count() > 0 && missing == Missing::kError) {
    unmatched.Throw("; missing drop leaves such keys out");
  }
  if (unmatched.count() > 0 && joined.empty()) unmatched.Throw("; nothing is left to join");

  std::vector<uint64_t> labelled;  // their numbers in the first manifest, whose labels go on
  labelled.reserve(joined.size());
  for (const uint64_t record : joined) labelled.push_back(first.dataset().manifest_index(record));
  const LabelColumn& labels = first.dataset().manifests().manifests().front().labels();
  return {.manifest = std::move(builder).Build().WithLabels(PickLabels(labels, labelled)),
          .unmatched = unmatched.count()};
}

}  // namespace bucketline
