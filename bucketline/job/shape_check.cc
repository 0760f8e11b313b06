#include "bucketline/job/shape_check.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

namespace bucketline {
namespace {

using nlohmann::json;

std::string_view KindName(ShapeKind kind) {
  switch (kind) {
    case ShapeKind::kStructure:
    case ShapeKind::kMap:
      return "an object";
    case ShapeKind::kList:
      return "a list";
    case ShapeKind::kString:
      return "text";
    case ShapeKind::kInteger:
    case ShapeKind::kLong:
      return "a whole number";
    case ShapeKind::kBoolean:
      return "true or false";
  }
  return "";
}

bool HasKind(const json& value, ShapeKind kind) {
  switch (kind) {
    case ShapeKind::kStructure:
    case ShapeKind::kMap:
      return value.is_object();
    case ShapeKind::kList:
      return value.is_array();
    case ShapeKind::kString:
      return value.is_string();
    case ShapeKind::kInteger:
    case ShapeKind::kLong:
      return value.is_number_integer();
    case ShapeKind::kBoolean:
      return value.is_boolean();
  }
  return false;
}

// Code points of valid UTF-8, which the JSON parser has checked.
int64_t Characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string_view NearestMember(std::string_view name, const Shape& shape) {
  return std::min_element(shape.members.begin(), shape.members.end(),
                          [&](const ShapeMember& a, const ShapeMember& b) {
                            return EditDistance(name, a.name) < EditDistance(name, b.name);
                          })
      ->name;
}

// A value as a message shows it: short, and one line.
std::string Shown(const json& value) {
  constexpr size_t kMost = 60;
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

class Checker {
 public:
  explicit Checker(ShapeReport& report) : report_(report) {}

  void Check(const json& value, const Shape& shape, const std::string& path) {
    if (!HasKind(value, shape.kind)) {
      Fault(path, fmt::format("must be {}, not {}", KindName(shape.kind), Shown(value)));
      return;
    }
    switch (shape.kind) {
      case ShapeKind::kStructure:
        return CheckStructure(value, shape, path);
      case ShapeKind::kMap:
        return CheckMap(value, shape, path);
      case ShapeKind::kList:
        CheckRange(static_cast<int64_t>(value.size()), shape, path, " entries");
        for (size_t i = 0; i < value.size(); ++i) {
          Check(value[i], RequestShape(shape.value), fmt::format("{}[{}]", path, i));
        }
        return;
      case ShapeKind::kString:
        return CheckText(value.get_ref<const std::string&>(), shape, path);
      case ShapeKind::kInteger:
      case ShapeKind::kLong:
        return CheckNumber(value, shape, path);
      case ShapeKind::kBoolean:
        return;
    }
  }

 private:
  void Fault(const std::string& path, std::string what) { report_.faults.push_back({path, std::move(what)}); }

  void CheckStructure(const json& value, const Shape& shape, const std::string& path) {
    for (const ShapeMember& member : shape.members) {
      const auto found = value.find(member.name);
      if (found == value.end()) {
        if (member.required) Fault(FieldPath(path, member.name), "is required");
      } else if (member.shape.empty()) {
        report_.without_effect.push_back(FieldPath(path, member.name));
      } else {
        Check(*found, RequestShape(member.shape), FieldPath(path, member.name));
      }
    }
    for (const auto& [name, unused] : value.items()) {
      const bool known =
          std::any_of(shape.members.begin(), shape.members.end(),
                      [&name = name](const ShapeMember& member) { return member.name == name; });
      if (!known) {
        Fault(FieldPath(path, name),
              fmt::format("is no field that CreateTrainingJob knows here; the nearest is {}",
                          NearestMember(name, shape)));
      }
    }
  }

  void CheckMap(const json& value, const Shape& shape, const std::string& path) {
    CheckRange(static_cast<int64_t>(value.size()), shape, path, " entries");
    for (const auto& [name, entry] : value.items()) {
      const std::string place = fmt::format("{}[{}]", path, Shown(name));
      CheckText(name, RequestShape(shape.key), place + " (key)");
      Check(entry, RequestShape(shape.value), place);
    }
  }

  void CheckText(const std::string& text, const Shape& shape, const std::string& path) {
    if (!shape.values.empty()) {
      if (std::find(shape.values.begin(), shape.values.end(), text) == shape.values.end()) {
        Fault(path, fmt::format("{} is not one of {}", Shown(text), fmt::join(shape.values, ", ")));
      }
      return;
    }
    CheckRange(Characters(text), shape, path, " characters");
    if (!shape.pattern.empty() && !re2::RE2::FullMatch(text, std::string(shape.pattern))) {
      Fault(path, fmt::format("{} does not match the pattern {}", Shown(text), shape.pattern));
    }
  }

  void CheckNumber(const json& value, const Shape& shape, const std::string& path) {
    const int64_t most = shape.kind == ShapeKind::kLong ? std::numeric_limits<int64_t>::max()
                                                        : std::numeric_limits<int32_t>::max();
    const bool too_large = value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(most);
    if (too_large ||
        (shape.kind == ShapeKind::kInteger && value.get<int64_t>() < std::numeric_limits<int32_t>::min())) {
      Fault(path,
            fmt::format("{} is beyond {} bits", value.dump(), shape.kind == ShapeKind::kLong ? 64 : 32));
      return;
    }
    CheckRange(value.get<int64_t>(), shape, path, "");
  }

  void CheckRange(int64_t measure, const Shape& shape, const std::string& path, std::string_view unit) {
    if (shape.min && measure < *shape.min) {
      Fault(path, fmt::format("{}{}; at least {}", measure, unit, *shape.min));
    }
    if (shape.max && measure > *shape.max) {
      Fault(path, fmt::format("{}{}; at most {}", measure, unit, *shape.max));
    }
  }

  ShapeReport& report_;
};

}  // namespace

void CheckShape(const json& value, const Shape& shape, const std::string& path, ShapeReport& report) {
  Checker(report).Check(value, shape, path);
}

std::string FieldPath(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

}  // namespace bucketline
