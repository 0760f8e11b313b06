#include "bucketline/dataset/stream_labels.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

constexpr size_t kShown = 64;  // characters of a label in a message

[[noreturn]] void Refuse(std::string_view text, std::string_view why) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("the label \"{}\" {}", text.substr(0, kShown), why));
}

bool FitsInteger(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= uint64_t{INT64_MAX};
  return value.is_number_integer();
}

std::optional<float> Finite(const nlohmann::json& value) {
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<float>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace

StreamLabels::StreamLabels(std::vector<std::string> classes, bool one_hot)
    : classes_(std::move(classes)), one_hot_(one_hot) {
  if (std::set<std::string>(classes_.begin(), classes_.end()).size() != classes_.size())
    throw Error(ErrorCode::kInvalidArgument, "a class is named twice in the classes of a stream's labels");
  if (classes_.empty()) {
    if (one_hot)
      throw Error(ErrorCode::kInvalidArgument, "one-hot labels of a stream need the names of the classes");
    return;
  }
  kind_ = one_hot ? LabelKind::kVector : LabelKind::kClass;
  width_ = one_hot ? classes_.size() : 1;
}

StreamLabel StreamLabels::Parse(std::string_view text) {
  if (!classes_.empty()) return ParseClass(text);
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  StreamLabel label;
  if (FitsInteger(value) && kind_ != LabelKind::kFloat) {
    Settle(LabelKind::kInteger, 1, text);
    label.integer = value.get<int64_t>();
  } else if (const std::optional<float> number = Finite(value)) {
    Settle(LabelKind::kFloat, 1, text);
    label.floats = {*number};
  } else if (value.is_array() && !value.empty()) {
    for (const nlohmann::json& element : value) {
      const std::optional<float> one = Finite(element);
      if (!one) Refuse(text, "is a list of which not all are finite numbers");
      label.floats.push_back(*one);
    }
    Settle(LabelKind::kVector, label.floats.size(), text);
  } else {
    Refuse(text,
           "is no number, and a stream does not know its classes beforehand: give their names as the labels' "
           "classes");
  }
  return label;
}

StreamLabel StreamLabels::ParseClass(std::string_view text) const {
  const auto found = std::find(classes_.begin(), classes_.end(), text);
  if (found == classes_.end())
    Refuse(text, fmt::format("is none of the classes {}", fmt::join(classes_, ", ")));
  const auto number = static_cast<size_t>(found - classes_.begin());
  if (!one_hot_) return {.integer = static_cast<int64_t>(number)};
  StreamLabel label;
  label.floats.resize(classes_.size());
  label.floats[number] = 1;
  return label;
}

void StreamLabels::Settle(LabelKind kind, size_t width, std::string_view text) {
  if (kind_ == LabelKind::kNone) {
    kind_ = kind;
    width_ = width;
  }
  if (kind == kind_ && width == width_) return;
  Refuse(
      text,
      fmt::format("is of another kind than those before it, which are {}{}: write all of them alike, numbers "
                  "as 1.0 where some have fractions",
                  LabelKindName(kind_), width_ > 1 ? fmt::format(" of {} numbers", width_) : ""));
}

}  // namespace bucketline
