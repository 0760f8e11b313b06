#include "bucketline/records/key_folders.h"

#include <cstddef>

namespace bucketline {

std::optional<std::string_view> KeyBelow(std::string_view key, std::string_view prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = key.substr(prefix.size());
  if (prefix.empty() || prefix.ends_with('/')) return rest;
  if (rest.starts_with('/')) return rest.substr(1);
  const size_t slash = prefix.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

std::string_view FolderOfKey(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

std::string_view NameOfKey(std::string_view key) {
  return key.substr(key.rfind('/') + 1);  // npos + 1 is 0
}

std::string_view StemOfKey(std::string_view key) {
  const std::string_view name = NameOfKey(key);
  const size_t dot = name.rfind('.');
  const size_t extension = dot == std::string_view::npos || dot == 0 ? 0 : name.size() - dot;
  return key.substr(0, key.size() - extension);
}

}  // namespace bucketline
