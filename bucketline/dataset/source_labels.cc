// Labels of several sources, resolved together.
#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/dataset/key_prefix.h"
#include "bucketline/dataset/sidecars.h"
#include "bucketline/dataset/source.h"
#include "bucketline/records/label_codec.h"
#include "bucketline/records/label_column.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

constexpr uint64_t kLargestLabelTable = uint64_t{1} << 30;

std::vector<uint64_t> Range(uint64_t first, uint64_t count) {
  std::vector<uint64_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

// Takes records out; `numbers` ascend and count through all sources.
void Drop(const std::vector<uint64_t>& numbers, std::vector<Source>* sources) {
  uint64_t first = 0;
  auto next = numbers.begin();
  for (Source& source : *sources) {
    const uint64_t size = source.manifest.size();
    std::vector<uint64_t> kept;
    for (uint64_t i = 0; i < size; ++i) {
      if (next != numbers.end() && *next == first + i) {
        ++next;
      } else {
        kept.push_back(i);
      }
    }
    if (kept.size() < size) source.manifest = source.manifest.Pick(kept);
    first += size;
  }
}

// Of all sources together.
std::vector<SidecarLabel> TakeMemberLabels(const std::string& member, std::vector<Source>* sources) {
  std::vector<SidecarLabel> labels;
  for (Source& source : *sources) {
    if (source.member_labels.size() != source.manifest.size()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format(
              "labels=\"{}\" names a member of shards, which is read while they are indexed, and these "
              "records come from raw objects or from a saved index; open the shards themselves, or "
              "give other labels",
              member),
          source.manifest.source());
    }
    std::move(source.member_labels.begin(), source.member_labels.end(), std::back_inserter(labels));
    source.member_labels = {};
  }
  return labels;
}

// Makes classes of numbers that have names, the same in all sources; where one has none they stay numbers.
void NameLabels(const std::vector<Source>& sources, LabelColumn* column) {
  const std::vector<std::string>& names = sources.front().label_names;
  const auto has_other = [&](const Source& source) { return source.label_names != names; };
  if (std::any_of(sources.begin(), sources.end(), has_other)) return;
  const auto has_name = [&](int64_t label) {
    return label >= 0 && static_cast<uint64_t>(label) < names.size();
  };
  if (names.empty() || column->kind != LabelKind::kInteger ||
      !std::all_of(column->integers.begin(), column->integers.end(), has_name)) {
    return;
  }
  column->kind = LabelKind::kClass;
  column->classes = names;
}

}  // namespace

void SpreadLabels(const LabelColumn& labels, std::vector<Source>* sources) {
  uint64_t records = 0;
  for (const Source& source : *sources) records += source.manifest.size();
  CheckLabels(labels, records);
  if (sources->size() == 1) {
    sources->front().manifest = sources->front().manifest.WithLabels(labels);
    return;
  }
  uint64_t first = 0;
  for (Source& source : *sources) {
    const uint64_t size = source.manifest.size();
    source.manifest = source.manifest.WithLabels(PickLabels(labels, Range(first, size)));
    first += size;
  }
}

uint64_t LabelSources(Runtime& runtime, const DatasetOptions& options, std::vector<Source>* sources) {
  const Labels& labels = options.labels;
  if (labels.is_none()) return 0;
  Bytes table;
  if (!labels.table_uri().empty()) {
    const Uri uri = Uri::Parse(labels.table_uri());
    GetRequest request;
    request.key = Runtime::KeyOf(uri);
    request.stop = options.stop;
    table = GetBytes(*StoreOf(runtime, uri, options), std::move(request), kLargestLabelTable);
  }
  std::vector<Manifest> manifests;
  std::vector<std::string> prefixes;
  for (const Source& source : *sources) {
    manifests.push_back(source.manifest);
    prefixes.push_back(FolderPrefix(source.manifest));
  }
  LabelFiles files{.table = table.view(), .sidecars = {}};
  if (!labels.member().empty()) files.sidecars = TakeMemberLabels(labels.member(), sources);
  if (!labels.sidecar_name().empty()) files.sidecars = ReadSidecars(runtime, options, *sources);
  Labelling labelling = labels.Resolve(ManifestList(std::move(manifests)), prefixes, files);
  NameLabels(*sources, &labelling.column);
  Drop(labelling.unlabelled, sources);
  SpreadLabels(labelling.column, sources);
  return labelling.unlabelled.size();
}

}  // namespace bucketline
