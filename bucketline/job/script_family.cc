#include "bucketline/job/script_family.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr int kRoundMilliseconds = 10;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Whether it runs, and in which session: proc_pid_stat(5), whose second field is a name in parentheses.
std::optional<pid_t> SessionOfLiving(const std::string& folder) {
  const std::string stat = ReadAll(folder + "/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  char state = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  fields >> state >> parent >> group >> session;
  if (!fields || state == 'Z' || state == 'X') return std::nullopt;
  return session;
}

bool HasMark(const std::string& folder, const std::string& mark) {
  const std::string environment = ReadAll(folder + "/environ");
  for (size_t at = environment.find(mark); at != std::string::npos; at = environment.find(mark, at + 1)) {
    const size_t end = at + mark.size();
    const bool begins = at == 0 || environment[at - 1] == '\0';
    const bool ends = end == environment.size() || environment[end] == '\0';
    if (begins && ends) return true;
  }
  return false;
}

bool IsMember(pid_t pid, const ScriptFamily& family) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const std::optional<pid_t> session = SessionOfLiving(folder);
  return session && (*session == family.session || HasMark(folder, family.mark));
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
