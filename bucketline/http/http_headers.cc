#include <algorithm>

#include "bucketline/http/ascii.h"
#include "bucketline/http/transport.h"

namespace bucketline {

std::optional<std::string_view> HttpHeaders::Find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(items_, [name](const auto& item) { return EqualsIgnoringCase(item.first, name); });
  if (found == items_.end()) return std::nullopt;
  return found->second;
}

}  // namespace bucketline
