// Whole numbers as JSON files write them. nlohmann's get<> also takes 1e30 for one, which no integer holds.
#pragma once

#include <cstdint>

#include <nlohmann/json.hpp>

namespace bucketline {

// Throws nlohmann::json::type_error for what is not a whole number of at least 0, below 2^64.
inline uint64_t WholeNumber(const nlohmann::json& value) {
  return value.get_ref<const nlohmann::json::number_unsigned_t&>();
}

}  // namespace bucketline
