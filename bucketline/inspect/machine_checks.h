// What this machine must have: open files and memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bucketline/inspect/doctor.h"

namespace bucketline {

// `limit` open files for `connections` and what else a process holds.
DoctorCheck JudgeOpenFiles(uint64_t limit, uint64_t connections);
DoctorCheck CheckOpenFiles(uint64_t connections);

// Bytes that this process may still take: of the machine, or of its control group if that has less.
struct MemoryState {
  uint64_t total = 0;
  uint64_t available = 0;
};
// `meminfo` is /proc/meminfo; the others are the control group's memory.max and memory.current, "" without one.
MemoryState ParseMemory(std::string_view meminfo, std::string_view group_max, std::string_view group_current);
DoctorCheck JudgeMemory(const MemoryState& state);
DoctorCheck CheckMemory();

}  // namespace bucketline
