#include "bucketline/dataset/braces.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kMostTexts = 100'000;

[[noreturn]] void Throw(std::string_view text, const std::string& problem) {
  throw Error(ErrorCode::kInvalidArgument, fmt::format("\"{}\": {}", text, problem));
}

std::optional<uint64_t> NumberIn(std::string_view digits) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

// What stands between two braces, as a list; nullopt when it is none.
std::optional<std::vector<std::string>> Choices(std::string_view text, std::string_view inside) {
  std::vector<std::string> choices;
  const size_t dots = inside.find("..");
  if (dots != std::string_view::npos) {
    const std::string_view first_digits = inside.substr(0, dots);
    const std::optional<uint64_t> first = NumberIn(first_digits);
    const std::optional<uint64_t> last = NumberIn(inside.substr(dots + 2));
    if (!first || !last) return std::nullopt;
    if (*first > *last)
      Throw(text, fmt::format("the range {{{}}} descends; write its smaller end first", inside));
    if (*last - *first >= kMostTexts) Throw(text, fmt::format("the range {{{}}} is too long", inside));
    for (uint64_t i = 0; i <= *last - *first; ++i)  // the last number may be the largest there is
      choices.push_back(fmt::format("{:0{}}", *first + i, first_digits.size()));
    return choices;
  }
  if (inside.find(',') == std::string_view::npos) return std::nullopt;
  for (;;) {
    const size_t comma = inside.find(',');
    choices.emplace_back(inside.substr(0, comma));
    if (comma == std::string_view::npos) return choices;
    inside.remove_prefix(comma + 1);
  }
}

void Append(std::vector<std::string>* texts, std::string_view ending) {
  for (std::string& text : *texts) text += ending;
}

}  // namespace

std::vector<std::string> ExpandBraces(std::string_view text) {
  std::vector<std::string> texts = {""};
  for (std::string_view rest = text; !rest.empty();) {
    const size_t open = rest.find('{');
    const size_t close = open == std::string_view::npos ? open : rest.find('}', open);
    if (close == std::string_view::npos) {
      Append(&texts, rest);
      break;
    }
    const auto choices = Choices(text, rest.substr(open + 1, close - open - 1));
    if (!choices) {
      Append(&texts, rest.substr(0, open + 1));
      rest.remove_prefix(open + 1);
      continue;
    }
    if (texts.size() > kMostTexts / choices->size()) {
      Throw(text, fmt::format("the braces stand for more than {} texts", kMostTexts));
    }
    Append(&texts, rest.substr(0, open));
    std::vector<std::string> more;
    for (const std::string& start : texts) {
      for (const std::string& choice : *choices) more.push_back(start + choice);
    }
    texts = std::move(more);
    rest.remove_prefix(close + 1);
  }
  return texts;
}

}  // namespace bucketline
