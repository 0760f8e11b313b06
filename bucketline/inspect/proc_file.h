// Files of /proc and their like.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bucketline {

// All of it; "" when it cannot be read.
std::string ReadProcFile(const char* path);

// The bytes that a line such as "VmHWM:   1234 kB" speaks of; 0 without one. `name` has its colon.
uint64_t ProcBytes(std::string_view text, std::string_view name);

}  // namespace bucketline
