#include "bucketline/records/label_column.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kMostClassesShown = 20;

std::vector<std::string> SortedNames(std::vector<std::string_view> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return {names.begin(), names.end()};
}

[[noreturn]] void ThrowUnknown(std::string_view name, const std::vector<std::string>& classes) {
  const size_t shown = std::min(classes.size(), kMostClassesShown);
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("the label \"{}\" is none of the {} classes given: {}{}", name, classes.size(),
                  fmt::join(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                  shown < classes.size() ? ", ..." : ""));
}

void CheckFinite(const std::vector<float>& values, size_t width) {
  const auto bad = std::find_if_not(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  if (bad == values.end()) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the label of record {} is {}; give finite numbers",
                          static_cast<size_t>(bad - values.begin()) / width, *bad));
}

}  // namespace

LabelColumn ClassLabels(const std::vector<std::string_view>& names,
                        const std::optional<std::vector<std::string>>& classes) {
  LabelColumn column;
  column.kind = LabelKind::kClass;
  column.classes = classes ? *classes : SortedNames(names);
  std::unordered_map<std::string_view, int64_t> index;
  for (const std::string& name : column.classes) {
    if (!index.emplace(name, static_cast<int64_t>(index.size())).second) {
      throw Error(ErrorCode::kInvalidArgument, fmt::format("the class \"{}\" is given twice", name));
    }
  }
  column.integers.reserve(names.size());
  for (const std::string_view name : names) {
    const auto found = index.find(name);
    if (found == index.end()) ThrowUnknown(name, column.classes);
    column.integers.push_back(found->second);
  }
  return column;
}

LabelColumn ClassLabels(const std::vector<std::string>& names,
                        const std::optional<std::vector<std::string>>& classes) {
  return ClassLabels(std::vector<std::string_view>(names.begin(), names.end()), classes);
}

LabelColumn IntegerLabels(std::vector<int64_t> values) {
  LabelColumn column;
  column.kind = LabelKind::kInteger;
  column.integers = std::move(values);
  return column;
}

LabelColumn FloatLabels(std::vector<float> values) {
  CheckFinite(values, 1);
  LabelColumn column;
  column.kind = LabelKind::kFloat;
  column.floats = std::move(values);
  return column;
}

LabelColumn VectorLabels(std::vector<float> values, size_t width) {
  if (width == 0 || values.size() % width != 0) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} label values do not make records of {} values each", values.size(), width));
  }
  CheckFinite(values, width);
  LabelColumn column;
  column.kind = LabelKind::kVector;
  column.width = width;
  column.floats = std::move(values);
  return column;
}

LabelColumn OneHotLabels(const LabelColumn& labels) {
  if (labels.kind != LabelKind::kClass) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("one-hot labels are made of classes, and these are "
                                                         "{}; give the classes to take each label as a name",
                                                         LabelKindName(labels.kind)));
  }
  LabelColumn column;
  column.kind = LabelKind::kVector;
  column.classes = labels.classes;
  column.width = std::max<size_t>(labels.classes.size(), 1);
  column.floats.resize(labels.integers.size() * column.width);
  for (size_t i = 0; i < labels.integers.size(); ++i) {
    column.floats[i * column.width + static_cast<size_t>(labels.integers[i])] = 1;
  }
  return column;
}

LabelColumn PickLabels(const LabelColumn& labels, const std::vector<uint64_t>& numbers) {
  LabelColumn picked;
  picked.kind = labels.kind;
  picked.classes = labels.classes;
  picked.width = labels.width;
  for (const uint64_t number : numbers) {
    if (!labels.integers.empty()) picked.integers.push_back(labels.integers[number]);
    if (!labels.floats.empty()) {
      const auto first = labels.floats.begin() + static_cast<std::ptrdiff_t>(number * labels.width);
      picked.floats.insert(picked.floats.end(), first, first + static_cast<std::ptrdiff_t>(labels.width));
    }
  }
  return picked;
}

std::string_view LabelKindName(LabelKind kind) {
  switch (kind) {
    case LabelKind::kNone:
      return "none";
    case LabelKind::kClass:
      return "classes";
    case LabelKind::kInteger:
      return "integers";
    case LabelKind::kFloat:
      return "floats";
    case LabelKind::kVector:
      return "lists of floats";
  }
  return "unknown";
}

}  // namespace bucketline
