#include "bucketline/inspect/machine_checks.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <sys/resource.h>

#include "bucketline/base/units.h"
#include "bucketline/inspect/proc_file.h"

namespace bucketline {
namespace {

constexpr uint64_t kOtherFiles = 256;             // libraries, data, the framework around us
constexpr uint64_t kComfortable = 1024ull << 20;  // a loader's default budget

std::optional<uint64_t> LeadingNumber(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

}  // namespace

DoctorCheck JudgeOpenFiles(uint64_t limit, uint64_t connections) {
  DoctorCheck check{.name = "open files", .value = fmt::format("at most {}", limit)};
  const uint64_t needed = connections + kOtherFiles;
  if (limit < needed) {
    check.status = DoctorCheck::Status::kFailed;
    check.advice = fmt::format("{} connections need about {}: `ulimit -n {}`, or fewer --connections",
                               connections, needed, std::max<uint64_t>(needed, 4096));
  }
  return check;
}

DoctorCheck CheckOpenFiles(uint64_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return {.name = "open files", .status = DoctorCheck::Status::kWarning, .value = "the limit is unknown"};
  }
  return JudgeOpenFiles(limit.rlim_cur, connections);
}

MemoryState ParseMemory(std::string_view meminfo, std::string_view group_max,
                        std::string_view group_current) {
  MemoryState state{ProcBytes(meminfo, "MemTotal:"), ProcBytes(meminfo, "MemAvailable:")};
  const auto max = LeadingNumber(group_max);  // nothing for "max": no limit
  if (!max) return state;
  const uint64_t used = LeadingNumber(group_current).value_or(0);
  state.total = std::min(state.total, *max);
  state.available = std::min(state.available, *max - std::min(used, *max));
  return state;
}

DoctorCheck JudgeMemory(const MemoryState& state) {
  DoctorCheck check{.name = "memory",
                    .value = fmt::format("{} of {} available", FormatByteSize(state.available),
                                         FormatByteSize(state.total))};
  if (state.available < kComfortable) {
    check.status = DoctorCheck::Status::kWarning;
    check.advice = "less than a loader's default budget: give a smaller --memory, or the container more";
  }
  return check;
}

DoctorCheck CheckMemory() {
  return JudgeMemory(ParseMemory(ReadProcFile("/proc/meminfo"), ReadProcFile("/sys/fs/cgroup/memory.max"),
                                 ReadProcFile("/sys/fs/cgroup/memory.current")));
}

}  // namespace bucketline
