#include "bucketline/job/run_scripts.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// Members of a stopped family are looked for in /proc, which tells nobody when one ends.
constexpr Duration kLookAgain = std::chrono::milliseconds(50);

class Run {
 public:
  Run(const std::vector<ScriptCommand>& commands, const ScriptLimits& limits, const ScriptLine& on_line,
      std::stop_token stop, std::stop_token kill)
      : limits_(limits),
        stop_(std::move(stop)),
        kill_(std::move(kill)),
        woken_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        on_stop_(stop_, Wake{woken_.get()}),
        on_kill_(kill_, Wake{woken_.get()}) {
    if (!woken_) throw PosixError(errno, "make an event descriptor");
    for (const ScriptCommand& command : commands) {
      scripts_.push_back(std::make_unique<ScriptProcess>(command, on_line));
    }
    result_.exit_codes.resize(commands.size());
    end_of_runtime_ = Now() + limits.max_runtime;
  }

  ScriptsResult Wait() {
    while (
        std::any_of(scripts_.begin(), scripts_.end(), [](const auto& script) { return script != nullptr; })) {
      DecideToEnd();
      WaitForEvents();
      for (size_t i = 0; i < scripts_.size(); ++i) {
        if (scripts_[i] != nullptr) LookAt(i);
      }
    }
    return std::move(result_);
  }

 private:
  struct Wake {
    int fd;
    void operator()() const {
      const uint64_t one = 1;
      static_cast<void>(write(fd, &one, sizeof one));
    }
  };

  void DecideToEnd() {
    if (kill_.stop_requested() && !killed_) {
      result_.end = ScriptsEnd::kKilled;
      KillAll();
    } else if (end_of_grace_) {
      if (Now() >= *end_of_grace_ && !killed_) KillAll();
    } else if (stop_.stop_requested()) {
      result_.end = ScriptsEnd::kStopped;
      TerminateAll();
    } else if (Now() >= end_of_runtime_) {
      result_.end = ScriptsEnd::kTimedOut;
      TerminateAll();
    }
  }

  void TerminateAll() {
    end_of_grace_ = Now() + limits_.grace;
    for (const auto& script : scripts_) {
      if (script != nullptr) script->Terminate();
    }
  }

  void KillAll() {
    killed_ = true;
    for (const auto& script : scripts_) {
      if (script != nullptr) script->Kill();
    }
  }

  // Until there is something for DecideToEnd or LookAt to see.
  void WaitForEvents() {
    std::vector<pollfd> fds;
    bool look_again = false;
    for (const auto& script : scripts_) {
      if (script == nullptr) continue;
      fds.push_back({script->output_fd(), POLLIN, 0});
      const bool lingers = std::find(lingering_.begin(), lingering_.end(), script.get()) != lingering_.end();
      if (!lingers) fds.push_back({script->exit_fd(), POLLIN, 0});
      look_again = look_again || lingers;
    }
    fds.push_back({woken_.get(), POLLIN, 0});
    SteadyTime until = end_of_grace_ && !killed_ ? *end_of_grace_ : end_of_runtime_;
    if (look_again) until = std::min(until, Now() + kLookAgain);
    if (killed_) until = Now() + kLookAgain;
    if (poll(fds.data(), fds.size(), MillisecondsUntil(Now(), until)) < 0 && errno != EINTR) {
      throw PosixError(errno, "wait for the scripts");
    }
    uint64_t count = 0;
    static_cast<void>(read(woken_.get(), &count, sizeof count));
  }

  void LookAt(size_t host) {
    ScriptProcess& script = *scripts_[host];
    script.ReadOutput();
    pollfd ended = {script.exit_fd(), POLLIN, 0};
    if (poll(&ended, 1, 0) != 1) return;
    // A shell that was told to end leaves the program that it ran, which has the same grace.
    if (end_of_grace_ && !killed_ && !script.family().Living().empty()) {
      if (std::find(lingering_.begin(), lingering_.end(), &script) == lingering_.end()) {
        lingering_.push_back(&script);
      }
      return;
    }
    const int code = script.Reap();
    result_.exit_codes[host] = code;
    std::erase(lingering_, &script);
    scripts_[host] = nullptr;
    if (code == 0 || end_of_grace_ || killed_) return;
    result_.first_failed = host;
    TerminateAll();
  }

  const ScriptLimits limits_;
  const std::stop_token stop_;
  const std::stop_token kill_;
  const UniqueFd woken_;
  const std::stop_callback<Wake> on_stop_;
  const std::stop_callback<Wake> on_kill_;
  std::vector<std::unique_ptr<ScriptProcess>> scripts_;  // nullptr once it has ended
  std::vector<ScriptProcess*> lingering_;  // whose command has ended, and others of its family have not
  SteadyTime end_of_runtime_;
  std::optional<SteadyTime> end_of_grace_;
  bool killed_ = false;
  ScriptsResult result_;
};

}  // namespace

ScriptsResult RunScripts(const std::vector<ScriptCommand>& commands, const ScriptLimits& limits,
                         const ScriptLine& on_line, const std::stop_token& stop,
                         const std::stop_token& kill) {
  return Run(commands, limits, on_line, stop, kill).Wait();
}

}  // namespace bucketline
