#include "bucketline/records/label_pattern.h"

#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <re2/re2.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr const char* kGroup = "label";

// RE2 releases before 2023-09 know (?P<name>...) alone.
std::string WithPythonNames(std::string_view expression) {
  std::string text;
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    text += c;
    if (c == '\\' && i + 1 < expression.size()) {
      text += expression[++i];
    } else if (c == '[' || c == ']') {
      in_class = c == '[';
    } else if (c == '(' && !in_class) {
      const std::string_view rest = expression.substr(i + 1);
      const bool looks_behind = rest.starts_with("?<=") || rest.starts_with("?<!");
      if (rest.starts_with("?<") && !looks_behind) {
        text += "?P<";
        i += 2;
      }
    }
  }
  return text;
}

}  // namespace

LabelPattern::LabelPattern(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  regex_ = std::make_unique<const re2::RE2>(WithPythonNames(expression), options);
  if (!regex_->ok()) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the pattern \"{}\" is no regular expression that is known here (RE2 syntax): {}",
                            expression, regex_->error()));
  }
  if (regex_->NumberOfCapturingGroups() == 0) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the pattern \"{}\" has no group to take the label from; put the label's part into "
                    "parentheses, as in \"(?P<label>[^/]+)_\"",
                    expression));
  }
  const auto& names = regex_->NamedCapturingGroups();
  if (const auto named = names.find(kGroup); named != names.end()) group_ = named->second;
}

LabelPattern::~LabelPattern() = default;

std::optional<std::string> LabelPattern::LabelOf(const std::string& key) const {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(group_) + 1);
  const bool found =
      regex_->Match(key, 0, key.size(), re2::RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()));
  const re2::StringPiece& label = groups.back();
  if (!found || label.empty()) return std::nullopt;
  return std::string(label.data(), label.size());
}

}  // namespace bucketline
