#include "bucketline/channel/augmented_manifest.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMostAttributes = size_t{1} << 31;
constexpr int kDeepest = 100;  // of lists in lists; writing them out takes stack

[[noreturn]] void Throw(uint64_t line, std::string_view problem) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("line {}: {}", line, problem));
}

ordered_json ParseLine(std::string_view text, uint64_t line) {
  const auto check = [line](int depth, ordered_json::parse_event_t, const ordered_json&) {
    if (depth > kDeepest) Throw(line, fmt::format("its lists and objects lie more than {} deep", kDeepest));
    return true;
  };
  ordered_json object = ordered_json::parse(text.begin(), text.end(), check, false);
  if (object.is_discarded())
    Throw(line, "this is not JSON; an augmented manifest has one JSON object a line");
  if (!object.is_object()) {
    Throw(line, fmt::format("this is JSON, but {}; an augmented manifest has one JSON object a line",
                            object.type_name()));
  }
  return object;
}

std::string FieldsOf(const ordered_json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void AddAttribute(const ordered_json& object, const std::string& name, uint64_t line,
                  AugmentedManifest* manifest) {
  const auto field = object.find(name);
  if (field == object.end()) {
    Throw(line, fmt::format("there is no field \"{}\"; those of the line are: {}", name, FieldsOf(object)));
  }
  if (field->is_null()) Throw(line, fmt::format("the field \"{}\" is null", name));
  const bool is_reference = name.ends_with("-ref");
  if (is_reference && !field->is_string()) {
    Throw(line,
          fmt::format("the field \"{}\" must be the URI of an object, and is {}", name, field->type_name()));
  }
  TextPool& pool = is_reference ? manifest->references : manifest->values;
  manifest->attributes.push_back(
      {.number = static_cast<uint32_t>(pool.size()) & 0x7fffffffU, .is_reference = is_reference ? 1U : 0U});
  if (is_reference) manifest->reference_lines.push_back(static_cast<uint32_t>(line));
  pool.Add(field->is_string() ? field->get_ref<const std::string&>() : field->dump());
}

}  // namespace

AugmentedManifest ParseAugmentedManifest(std::string_view text, const std::vector<std::string>& names) {
  AugmentedManifest manifest;
  uint64_t line = 0;
  while (!text.empty()) {
    ++line;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const ordered_json object = ParseLine(content, line);
    if (manifest.attributes.size() + names.size() > kMostAttributes) {
      throw Error(ErrorCode::kUnsupported, "the manifest has more than 2^31 values");
    }
    for (const std::string& name : names) AddAttribute(object, name, line, &manifest);
  }
  if (manifest.attributes.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "the manifest is empty; it has one JSON object a line");
  }
  return manifest;
}

}  // namespace bucketline
