#include "bucketline/job/script_family.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kLongestExec = std::chrono::seconds(2);
constexpr int kRoundMilliseconds = 10;

std::chrono::steady_clock::time_point Now() { return std::chrono::steady_clock::now(); }

// Up to the end of the process that it describes, which may come at any moment. Nothing where it may not be read.
std::optional<std::string> ReadAll(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char part[16384];
  for (ssize_t got = 0; (got = read(file.get(), part, sizeof part)) > 0;) {
    text.append(part, static_cast<size_t>(got));
  }
  return text;
}

// Of proc_pid_stat(5), by its numbers of fields.
struct ProcessStat {
  pid_t session = 0;             // 6
  uint64_t memory = 0;           // 23; a kernel thread has none
  uint64_t code = 0;             // 26; known only once the program's environment is there
  uint64_t environment = 0;      // 50
  uint64_t environment_end = 0;  // 51
};

std::optional<ProcessStat> StatOfLiving(const std::string& folder) {
  const std::string stat = ReadAll(folder + "/stat").value_or("");
  const size_t name_end = stat.rfind(')');  // the second field, a name in parentheses, may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string state;
  if (!(fields >> state) || state == "Z" || state == "X") return std::nullopt;
  ProcessStat found;
  uint64_t skipped = 0;
  auto read_up_to = [&, field = 3](int end, uint64_t& value) mutable {
    for (; field < end; ++field) fields >> (field + 1 == end ? value : skipped);
  };
  uint64_t session = 0;
  read_up_to(6, session);
  read_up_to(23, found.memory);
  read_up_to(26, found.code);
  read_up_to(50, found.environment);
  read_up_to(51, found.environment_end);
  found.session = static_cast<pid_t>(session);
  return found;
}

bool Holds(const std::string& environment, const std::string& mark) {
  for (size_t at = environment.find(mark); at != std::string::npos; at = environment.find(mark, at + 1)) {
    const size_t end = at + mark.size();
    const bool begins = at == 0 || environment[at - 1] == '\0';
    const bool ends = end == environment.size() || environment[end] == '\0';
    if (begins && ends) return true;
  }
  return false;
}

// While it starts a program (execve), a process has no environment for a moment, and what was read of the former one
// may be a part: it is looked at again.
bool IsMember(pid_t pid, const ScriptFamily& family) {
  const std::string folder = "/proc/" + std::to_string(pid);
  for (const auto end = Now() + kLongestExec;; poll(nullptr, 0, 1)) {
    const std::optional<std::string> environment = ReadAll(folder + "/environ");
    const std::optional<ProcessStat> stat = StatOfLiving(folder);
    if (!stat) return false;
    if (stat->session == family.session) return true;
    if (!environment || stat->memory == 0) return false;
    if (Holds(*environment, family.mark)) return true;
    const uint64_t size = stat->environment_end - stat->environment;
    const bool whole = stat->code != 0 && environment->size() == size;
    if (whole || Now() > end) return false;
  }
}

// The descriptor holds the pid while it is looked at once more: what is killed is a member, not a successor of its pid.
void KillMember(pid_t pid, const ScriptFamily& family) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process && IsMember(pid, family)) syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

}  // namespace

std::vector<pid_t> ScriptFamily::Living() const {
  std::vector<pid_t> members;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry("/proc", failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    const bool is_pid = error == std::errc() && rest == name.data() + name.size();
    if (is_pid && pid != getpid() && IsMember(pid, *this)) members.push_back(pid);
  }
  return members;
}

bool ScriptFamily::Kill(bool leader_too) const {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    std::vector<pid_t> members = Living();
    if (!leader_too) std::erase(members, session);
    if (members.empty()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
    for (const pid_t pid : members) KillMember(pid, *this);
    poll(nullptr, 0, kRoundMilliseconds);  // the kernel takes a moment to end them
  }
}

}  // namespace bucketline
