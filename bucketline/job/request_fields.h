// Fields of a request that may be absent, or be something else than they should.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace bucketline {

inline const nlohmann::json* FindField(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

inline std::string TextOr(const nlohmann::json& object, const char* name, std::string otherwise) {
  const nlohmann::json* field = FindField(object, name);
  return field != nullptr && field->is_string() ? field->get<std::string>() : std::move(otherwise);
}

inline int64_t NumberOr(const nlohmann::json& object, const char* name, int64_t otherwise) {
  const nlohmann::json* field = FindField(object, name);
  return field != nullptr && field->is_number_integer() ? field->get<int64_t>() : otherwise;
}

inline bool IsTrue(const nlohmann::json& object, const char* name) {
  const nlohmann::json* field = FindField(object, name);
  return field != nullptr && field->is_boolean() && field->get<bool>();
}

// The object of that name, an empty one where there is none.
inline nlohmann::json ObjectOf(const nlohmann::json& object, const char* name) {
  const nlohmann::json* field = FindField(object, name);
  return field != nullptr && field->is_object() ? *field : nlohmann::json::object();
}

// The list of that name, an empty one where there is none.
inline nlohmann::json ListOf(const nlohmann::json& object, const char* name) {
  const nlohmann::json* field = FindField(object, name);
  return field != nullptr && field->is_array() ? *field : nlohmann::json::array();
}

}  // namespace bucketline
