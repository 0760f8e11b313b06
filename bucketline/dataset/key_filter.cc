#include "bucketline/dataset/key_filter.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kExamples = 3;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EndsWithoutCase(std::string_view key, std::string_view lower_case_ending) {
  if (key.size() < lower_case_ending.size()) return false;
  key.remove_prefix(key.size() - lower_case_ending.size());
  return std::equal(key.begin(), key.end(), lower_case_ending.begin(),
                    [](char a, char b) { return Lower(a) == b; });
}

}  // namespace

KeyFilter::KeyFilter(const std::vector<std::string>& extensions, bool folder_markers)
    : extensions_(extensions), folder_markers_(folder_markers) {
  for (std::string& extension : extensions_)
    std::transform(extension.begin(), extension.end(), extension.begin(), Lower);
}

bool KeyFilter::Accept(const ObjectInfo& object) {
  if (!folder_markers_ && object.size == 0 && object.key.ends_with('/')) return false;
  const auto matches = [&](const std::string& extension) { return EndsWithoutCase(object.key, extension); };
  const bool accept = extensions_.empty() || (object.size > 0 && !object.key.ends_with('/') &&
                                              std::any_of(extensions_.begin(), extensions_.end(), matches));
  if (accept) {
    ++accepted_;
  } else {
    Refuse(object);
  }
  return accept;
}

void KeyFilter::Refuse(const ObjectInfo& object) {
  ++refused_;
  if (examples_.size() < kExamples) {
    examples_.push_back(object.size == 0 ? fmt::format("\"{}\" (empty)", object.key)
                                         : fmt::format("\"{}\"", object.key));
  }
}

void KeyFilter::CheckSomethingCame(const std::string& source) const {
  if (accepted_ > 0) return;
  if (refused_ == 0) {
    throw Error(ErrorCode::kNotFound,
                "there is no object below this prefix; check its spelling and that it ends in \"/\"", source);
  }
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("{} objects are here, but none is a non-empty one ending in {}; for example {}; name other "
                  "extensions, or none to take every object",
                  refused_, fmt::join(extensions_, ", "), fmt::join(examples_, ", ")),
      source);
}

}  // namespace bucketline
