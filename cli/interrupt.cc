#include "cli/interrupt.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "cli/command.h"
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline::cli {
namespace {

constexpr int kGraceMilliseconds = 2000;
constexpr int kHurryMilliseconds = 10000;

enum class Woken { kSignal, kDone, kTimeout };

Woken Wait(int signals, int done, int timeout_milliseconds) {
  std::array<pollfd, 2> fds = {
      {{.fd = done, .events = POLLIN, .revents = 0}, {.fd = signals, .events = POLLIN, .revents = 0}}};
  const int ready = poll(fds.data(), fds.size(), timeout_milliseconds);
  if (ready == 0) return Woken::kTimeout;
  if (fds[0].revents != 0) return Woken::kDone;
  signalfd_siginfo info;
  return read(signals, &info, sizeof(info)) == sizeof(info) ? Woken::kSignal : Woken::kTimeout;
}

bool IsIgnored(int number) {
  struct sigaction action;
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Interrupt::Interrupt(std::optional<std::stop_source> hurry) : hurry_(std::move(hurry)) {
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
  if (Wait(signals_, done_, -1) != Woken::kSignal) return;
  stop_.request_stop();
  if (hurry_) {
    if (Wait(signals_, done_, -1) != Woken::kSignal) return;
    hurry_->request_stop();
  }
  if (Wait(signals_, done_, hurry_ ? kHurryMilliseconds : kGraceMilliseconds) == Woken::kDone) return;
  std::fputs("\nbucketline: interrupted\n", stderr);
  _exit(kInterrupted);
}

}  // namespace bucketline::cli
