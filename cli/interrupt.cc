#include "cli/interrupt.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "cli/command.h"
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline::cli {
namespace {

constexpr char kGraceVariable[] = "BUCKETLINE_GRACE";
constexpr std::chrono::milliseconds kUsualGrace(2000);
constexpr std::chrono::milliseconds kHurry(10000);

enum class Woken { kSignal, kDone, kTimeout };

constexpr std::chrono::milliseconds kForever(-1);

Woken Wait(int signals, int done, std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> fds = {
      {{.fd = done, .events = POLLIN, .revents = 0}, {.fd = signals, .events = POLLIN, .revents = 0}}};
  const int ready = poll(fds.data(), fds.size(), static_cast<int>(timeout.count()));
  if (ready == 0) return Woken::kTimeout;
  if (fds[0].revents != 0) return Woken::kDone;
  signalfd_siginfo info;
  return read(signals, &info, sizeof(info)) == sizeof(info) ? Woken::kSignal : Woken::kTimeout;
}

bool IsIgnored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::chrono::milliseconds Grace() {
  const char* text = std::getenv(kGraceVariable);
  if (text == nullptr || *text == '\0') return kUsualGrace;
  constexpr std::chrono::hours kLongest(24);
  Duration grace;
  try {
    grace = ParseDuration(text);
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidArgument, std::string(kGraceVariable) + ": " + error.message());
  }
  if (grace > kLongest) {
    throw Error(ErrorCode::kInvalidArgument, std::string(kGraceVariable) + ": at most 24 hours");
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(grace);
}

}  // namespace

Interrupt::Interrupt(std::optional<std::stop_source> hurry) : grace_(Grace()), hurry_(std::move(hurry)) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (!IsIgnored(SIGHUP)) sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC);
  done_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || done_ < 0)
    throw Error(ErrorCode::kIo, "cannot wait for signals: out of file descriptors");
  thread_ = StartThread("bl-signals", [this] { Run(); });
}

Interrupt::~Interrupt() {
  const uint64_t one = 1;
  if (write(done_, &one, sizeof(one)) == sizeof(one)) thread_.join();
  close(signals_);
  close(done_);
}

void Interrupt::Run() {
  if (Wait(signals_, done_, kForever) != Woken::kSignal) return;
  stop_.request_stop();
  if (hurry_) {
    if (Wait(signals_, done_, kForever) != Woken::kSignal) return;
    hurry_->request_stop();
  }
  if (Wait(signals_, done_, hurry_ ? std::max(kHurry, grace_) : grace_) == Woken::kDone) return;
  std::fputs("\nbucketline: interrupted\n", stderr);
  _exit(kInterrupted);
}

}  // namespace bucketline::cli
