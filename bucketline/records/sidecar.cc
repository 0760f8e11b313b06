#include "bucketline/records/sidecar.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/records/key_folders.h"
#include "bucketline/records/label_json.h"

namespace bucketline {
namespace {

constexpr std::string_view kUp = "../";

std::optional<std::string_view> Meaning(std::string_view word, std::string_view key) {
  if (word == "stem") return StemOfKey(NameOfKey(key));
  if (word == "name") return NameOfKey(key);
  if (word == "folder") return FolderOfKey(key);
  return std::nullopt;
}

// The next word in braces of `text`; `before` is what stands before it. nullopt: no more words.
std::optional<std::string_view> NextWord(std::string_view* text, std::string_view* before) {
  const size_t open = text->find('{');
  const size_t close = open == std::string_view::npos ? open : text->find('}', open);
  *before = text->substr(0, close == std::string_view::npos ? close : open);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view word = text->substr(open + 1, close - open - 1);
  text->remove_prefix(close + 1);
  return word;
}

}  // namespace

SidecarName::SidecarName(std::string text) : text_(std::move(text)) {
  std::string_view rest = text_;
  std::string_view before;
  bool differs = false;
  while (const std::optional<std::string_view> word = NextWord(&rest, &before)) {
    if (!Meaning(*word, "")) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format(
              "\"{{{}}}\" in the sidecars' name \"{}\" means nothing; {{stem}}, {{name}} and {{folder}} do",
              *word, text_));
    }
    differs = differs || *word != "folder";
  }
  if (!differs) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the sidecars' name \"{}\" is the same for all records of a folder; write {{stem}} or "
                    "{{name}} where the record's own stands, or give the object as a table",
                    text_));
  }
}

std::string SidecarName::Expand(std::string_view key) const {
  std::string expanded;
  std::string_view rest = text_;
  std::string_view before;
  while (const std::optional<std::string_view> word = NextWord(&rest, &before)) {
    expanded += before;
    expanded += *Meaning(*word, key);
  }
  return expanded += before;
}

std::string SidecarName::UriFor(std::string_view key, const std::string& uri) const {
  std::string expanded = Expand(key);
  if (text_.starts_with('/') || text_.find("://") != std::string::npos) return expanded;
  std::string_view name = expanded;
  std::string_view folder = FolderOfKey(uri);
  while (name.starts_with(kUp)) {
    name.remove_prefix(kUp.size());
    folder = FolderOfKey(folder);
    if (!folder.empty() && !folder.ends_with(":/")) continue;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the sidecars' name \"{}\" leads out of the place that the object is in", text_),
                uri);
  }
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

SidecarLabel ReadSidecar(const std::string& uri, std::string_view bytes, const std::string& field) {
  try {
    const nlohmann::json object = ParseLabelJson(bytes, 1);
    if (!object.is_object()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("an object with \"{}\" is needed where {} stands", field, object.type_name()));
    }
    const auto found = object.find(field);
    if (found == object.end()) {
      return NoLabel{fmt::format("{} has no \"{}\"; its fields are: {}", uri, field, FieldNames(object))};
    }
    return LabelRow{.key = uri, .value = LabelOfJson(*found, fmt::format("its \"{}\"", field)), .place = 0};
  } catch (const Error& error) {
    throw error.WithUri(uri);
  }
}

}  // namespace bucketline
