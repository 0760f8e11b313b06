// Integers and text in a header's bytes. The caller has checked that they are there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bucketline/base/error.h"

namespace bucketline {

inline uint32_t BigEndian(std::span<const uint8_t> data, size_t offset, int bytes) {
  uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | data[offset + static_cast<size_t>(i)];
  return value;
}

inline uint32_t LittleEndian(std::span<const uint8_t> data, size_t offset, int bytes) {
  uint32_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | data[offset + static_cast<size_t>(i)];
  return value;
}

inline std::string_view AsText(std::span<const uint8_t> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

[[noreturn]] inline void FailCorrupt(const std::string& message) {
  throw Error(ErrorCode::kCorruptData, message);
}

}  // namespace bucketline
