#include "bucketline/records/label_pattern.h"

#include <string_view>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr std::string_view kGroup = "label";

struct Plain {
  std::string expression;  // without the names of groups, which std::regex does not know
  size_t groups = 0;
  size_t named = 0;  // the group with the name "label"; 0: none
};

// The length of what stands for a group's name at the start of `rest`, "?<name>" or "?P<name>"; 0 for none.
// "?<=" and "?<!" are no names.
size_t NameLength(std::string_view rest, std::string_view* name) {
  const size_t open = rest.starts_with("?<") ? 2 : rest.starts_with("?P<") ? 3 : 0;
  const size_t close = open == 0 ? std::string_view::npos : rest.find('>');
  if (close == std::string_view::npos || rest[open] == '=' || rest[open] == '!') return 0;
  *name = rest.substr(open, close - open);
  return close + 1;
}

Plain WithoutNames(std::string_view expression) {
  Plain plain;
  bool in_class = false;
  for (size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    plain.expression += c;
    if (c == '\\' && i + 1 < expression.size()) {
      plain.expression += expression[++i];
    } else if (c == '[' || c == ']') {
      in_class = c == '[';
    } else if (c == '(' && !in_class) {
      std::string_view name;
      const size_t skip = NameLength(expression.substr(i + 1), &name);
      const bool captures = skip > 0 || expression.substr(i + 1, 1) != "?";
      if (captures) ++plain.groups;
      if (name == kGroup) plain.named = plain.groups;
      i += skip;
    }
  }
  return plain;
}

}  // namespace

LabelPattern::LabelPattern(const std::string& expression) {
  const Plain plain = WithoutNames(expression);
  if (plain.groups == 0) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the pattern \"{}\" has no group to take the label from; put the label's part into "
                    "parentheses, as in \"(?P<label>[^/]+)_\"",
                    expression));
  }
  try {
    regex_ = std::regex(plain.expression, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the pattern \"{}\" is no regular expression that is known here (ECMAScript): {}",
                            expression, error.what()));
  }
  if (plain.named != 0) group_ = plain.named;
}

std::optional<std::string> LabelPattern::LabelOf(const std::string& key) const {
  std::smatch match;
  if (!std::regex_search(key, match, regex_) || match[group_].length() == 0) return std::nullopt;
  return match[group_].str();
}

}  // namespace bucketline
