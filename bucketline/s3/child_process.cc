#include "bucketline/s3/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/store/stop_event.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

Error SystemFailure(std::string_view what) {
  return Error(ErrorCode::kResourceExhausted, fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

struct Pipe {
  UniqueFd read, write;
};

Pipe MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw SystemFailure("make a pipe");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// What the child begins with: our threads block every signal, which it must not inherit.
class SpawnPlan {
 public:
  SpawnPlan(int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    sigaddset(&set, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawnattr_setpgroup(&attributes_, 0);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  pid_t Start(const std::vector<std::string>& arguments, std::string_view name) const {
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int failure = posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv.data(), environ);
    if (failure == 0) return pid;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{} cannot be started: {}", name, std::strerror(failure)));
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// A child that has been started; waited for in every case.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid), exit_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~Child() {
    if (pid_ == 0) return;
    kill(-pid_, SIGKILL);
    Reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int exit_fd() const { return exit_.get(); }  // readable when it has ended

  int Reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
  const UniqueFd exit_;
};

// Appends what is there. False at the end.
bool ReadSome(int fd, std::string& text) {
  char chunk[4096];
  const ssize_t got = read(fd, chunk, sizeof chunk);
  if (got < 0) return errno == EINTR;
  text.append(chunk, static_cast<size_t>(got));
  return got > 0;
}

}  // namespace

ChildResult RunChild(const std::vector<std::string>& arguments, std::string_view name, Duration deadline,
                     size_t max_output, std::stop_token stop) {
  if (arguments.empty()) throw Error(ErrorCode::kInvalidArgument, fmt::format("{} is empty", name));
  const StopEvent stopped(stop);
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  const SteadyTime end = std::chrono::steady_clock::now() + deadline;
  Child child(SpawnPlan(out.write.get(), err.write.get()).Start(arguments, name));
  if (child.exit_fd() < 0) throw SystemFailure("watch a process");
  out.write.Close();
  err.write.Close();

  ChildResult result;
  std::array<pollfd, 4> fds = {pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0},
                               pollfd{child.exit_fd(), POLLIN, 0}, pollfd{stopped.fd(), POLLIN, 0}};
  // A grandchild may keep the pipes open: the end of the child, and what it wrote before, are all that counts.
  for (bool ended = false; !ended || fds[0].revents != 0 || fds[1].revents != 0;) {
    const int ready =
        poll(fds.data(), fds.size(), ended ? 0 : MillisecondsUntil(std::chrono::steady_clock::now(), end));
    if (ready < 0) {
      if (errno != EINTR) throw SystemFailure("wait for a process");
      for (pollfd& fd : fds) fd.revents = 0;
    }
    if (fds[3].revents != 0) throw Error(ErrorCode::kCancelled, "stopped on request");
    if (ready == 0 && !ended && std::chrono::steady_clock::now() >= end) {
      throw Error(ErrorCode::kTimeout, fmt::format("{} did not end within {} s", name,
                                                   std::chrono::duration<double>(deadline).count()));
    }
    if (fds[0].revents != 0 && !ReadSome(fds[0].fd, result.out)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !ReadSome(fds[1].fd, result.err)) fds[1].fd = -1;
    if (result.out.size() > max_output || result.err.size() > max_output) {
      throw Error(ErrorCode::kUnavailable, fmt::format("{} printed more than {} bytes", name, max_output));
    }
    ended = ended || fds[2].revents != 0;
    if (ended) fds[2].fd = -1;
  }
  result.exit_code = child.Reap();
  return result;
}

std::vector<std::string> SplitCommandLine(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = 0;
  const auto add = [&](char c) { word = word.value_or("") + c; };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool more = i + 1 < text.size();
    const char next = more ? text[i + 1] : 0;
    const bool escapes = c == '\\' && more && (quote == 0 || (quote == '"' && (next == '"' || next == '\\')));
    if (escapes) {
      add(next);
      ++i;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        add(c);
    } else if (c == '\'' || c == '"') {
      quote = c;
      word = word.value_or("");
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (word) words.push_back(*std::move(word));
      word.reset();
    } else {
      add(c);
    }
  }
  if (quote != 0) throw Error(ErrorCode::kInvalidArgument, "a quote of the command line stays open");
  if (word) words.push_back(*std::move(word));
  return words;
}

}  // namespace bucketline
