// Byte sizes and durations as people write them: 1_GiB, "64MiB", "60s".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bucketline/base/clock.h"

namespace bucketline {

inline namespace literals {
constexpr uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
constexpr uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
constexpr uint64_t operator""_GiB(unsigned long long n) { return n << 30; }
}  // namespace literals

// "512", "64KiB", "1.5GiB", "200MB" (decimal), case-insensitive suffix. Throws kInvalidArgument.
uint64_t ParseByteSize(std::string_view text);

// "1.5 GiB", "109.4 KiB", "12 B".
std::string FormatByteSize(uint64_t bytes);

// "250ms", "60s", "5m", "2h". Throws kInvalidArgument.
Duration ParseDuration(std::string_view text);

}  // namespace bucketline
