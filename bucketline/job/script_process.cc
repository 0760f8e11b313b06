#include "bucketline/job/script_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr size_t kLongestLine = size_t{64} << 10;
constexpr int kChunksAtOnce = 64;  // a command that never stops writing must not keep us from the others
constexpr const char* kMarkName = "BUCKETLINE_JOB_PROCESS";

std::string NewMark() {
  std::random_device random;
  return fmt::format("{}={:08x}{:08x}", kMarkName, random(), random());
}

// The inherited environment with `changes` and the mark, as execve takes it.
std::vector<std::string> MergedEnvironment(const std::map<std::string, std::string>& changes,
                                           const std::string& mark) {
  std::vector<std::string> merged = {mark};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (!changes.contains(name) && name != kMarkName) merged.emplace_back(text);
  }
  for (const auto& [name, value] : changes) merged.push_back(fmt::format("{}={}", name, value));
  return merged;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// A new session whose signals are as a shell would leave them: our threads block some, which must not be inherited.
pid_t Spawn(const ScriptCommand& command, const std::string& mark, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&signals, number);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  const std::vector<std::string> environment = MergedEnvironment(command.environment, mark);
  pid_t pid = 0;
  const int failure = posix_spawnp(&pid, command.words.front().c_str(), &actions, &attributes,
                                   Pointers(command.words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure == 0) return pid;
  throw Error(ErrorCode::kInvalidArgument, fmt::format("the command \"{}\" cannot be started: {}",
                                                       command.words.front(), std::strerror(failure)));
}

}  // namespace

ScriptProcess::ScriptProcess(const ScriptCommand& command, ScriptLine on_line)
    : host_(command.host),
      on_line_(std::move(on_line)),
      log_path_(command.log),
      log_(command.log, std::ios::binary | std::ios::app) {
  if (!log_) throw PosixError(errno, "write the log", command.log);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw PosixError(errno, "make a pipe");
  output_ = UniqueFd(ends[0]);
  const UniqueFd write_end(ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  family_.mark = NewMark();
  family_.session = Spawn(command, family_.mark, write_end.get());
  exit_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, family_.session, 0)));
  if (!exit_) {
    const int reason = errno;
    Kill();
    waitpid(family_.session, nullptr, 0);
    throw PosixError(reason, "watch a process");
  }
}

ScriptProcess::~ScriptProcess() {
  if (reaped_) return;
  Kill();
  while (waitpid(family_.session, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ScriptProcess::Terminate() const { kill(-family_.session, SIGTERM); }

void ScriptProcess::Kill() const {
  kill(-family_.session, SIGKILL);  // at once, before the rest is looked for
  family_.Kill(true);
}

void ScriptProcess::ReadOutput() {
  for (int chunks = 0; chunks < kChunksAtOnce && output_ && ReadSome(); ++chunks) {
  }
}

// True when there may be more.
bool ScriptProcess::ReadSome() {
  char chunk[16384];
  const ssize_t got = read(output_.get(), chunk, sizeof chunk);
  if (got < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN) return false;
  }
  if (got <= 0) {
    output_.Close();
    GiveLines(true);
    return false;
  }
  if (!log_.write(chunk, got).flush()) throw PosixError(errno, "write the log", log_path_);
  pending_.append(chunk, static_cast<size_t>(got));
  GiveLines(false);
  return true;
}

void ScriptProcess::GiveLines(bool all) {
  size_t begin = 0;
  while (begin < pending_.size()) {
    const size_t newline = pending_.find('\n', begin);
    const bool whole = newline != std::string::npos;
    size_t end = whole ? newline : pending_.size();
    if (!whole && !all && end - begin < kLongestLine) break;
    const bool cut = end - begin > kLongestLine;
    if (cut) end = begin + kLongestLine;
    on_line_(host_, std::string_view(pending_).substr(begin, end - begin));
    begin = whole && !cut ? end + 1 : end;
  }
  pending_.erase(0, begin);
}

int ScriptProcess::Reap() {
  family_.Kill(false);
  ReadOutput();
  output_.Close();
  GiveLines(true);
  int status = 0;
  while (waitpid(family_.session, &status, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace bucketline
