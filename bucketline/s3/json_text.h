// JsonText: a field of a document that somebody else wrote.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace bucketline {

// The text of field `name`; "" when `document` is no object, or has no such text.
inline std::string JsonText(const nlohmann::json& document, const char* name) {
  if (!document.is_object()) return {};
  const auto found = document.find(name);
  return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace bucketline
