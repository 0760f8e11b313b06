#include <algorithm>

#include "bucketline/serve/buckets.h"

namespace bucketline {
namespace {

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool IsValidNewBucketName(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!IsLowerOrDigit(name.front()) || !IsLowerOrDigit(name.back())) return false;
  if (!std::ranges::all_of(name, [](char c) { return IsLowerOrDigit(c) || c == '.' || c == '-'; }))
    return false;
  const bool like_an_address =
      name.find_first_not_of("0123456789.") == std::string_view::npos && std::ranges::count(name, '.') == 3;
  return name.find("..") == std::string_view::npos && !like_an_address;
}

}  // namespace bucketline
