#include "bucketline/records/label_merge.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

std::string Describe(const LabelColumn& labels) {
  std::string text(LabelKindName(labels.kind));
  if (labels.kind == LabelKind::kVector) text += fmt::format(" ({} each)", labels.width);
  return text;
}

void CheckAlike(const Manifest& a, const Manifest& b) {
  const LabelColumn& left = a.labels();
  const LabelColumn& right = b.labels();
  const bool one_hot = left.kind == LabelKind::kVector && left.classes != right.classes;
  if (left.kind == right.kind && left.width == right.width && !one_hot) return;
  throw Error(
      ErrorCode::kInvalidArgument,
      one_hot && left.width == right.width
          ? fmt::format(
                "the one-hot labels of {} and of {} are of different classes; give both the same list "
                "of classes",
                a.source(), b.source())
          : fmt::format("the labels of {} are {} and those of {} are {}; datasets can be put together when "
                        "their labels are of one kind",
                        a.source(), Describe(left), b.source(), Describe(right)));
}

LabelColumn InClasses(const LabelColumn& labels, const std::vector<std::string>& classes) {
  std::vector<int64_t> places;
  places.reserve(labels.classes.size());
  for (const std::string& name : labels.classes) {
    places.push_back(std::lower_bound(classes.begin(), classes.end(), name) - classes.begin());
  }
  LabelColumn column;
  column.kind = LabelKind::kClass;
  column.classes = classes;
  column.integers.reserve(labels.integers.size());
  for (const int64_t label : labels.integers) column.integers.push_back(places[static_cast<size_t>(label)]);
  return column;
}

}  // namespace

std::vector<Manifest> MergeLabels(std::vector<Manifest> manifests) {
  std::set<std::string> classes;
  bool same = true;
  for (const Manifest& manifest : manifests) {
    CheckAlike(manifests.front(), manifest);
    same = same && manifest.labels().classes == manifests.front().labels().classes;
    classes.insert(manifest.labels().classes.begin(), manifest.labels().classes.end());
  }
  if (same) return manifests;
  const std::vector<std::string> all(classes.begin(), classes.end());
  for (Manifest& manifest : manifests) manifest = manifest.WithLabels(InClasses(manifest.labels(), all));
  return manifests;
}

}  // namespace bucketline
