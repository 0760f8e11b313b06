#include "bucketline/http/socket_watch.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

int Descriptor(int descriptor) {
  if (descriptor < 0) {
    throw Error(ErrorCode::kResourceExhausted,
                "the system has no descriptor for a network thread (raise ulimit -n)");
  }
  return descriptor;
}

int ReadyMask(uint32_t events) {
  int mask = 0;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  // libcurl finds the error, or the last bytes before it, by reading.
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_IN | CURL_CSELECT_ERR;
  return mask;
}

}  // namespace

SocketWatch::SocketWatch()
    : epoll_(Descriptor(epoll_create1(EPOLL_CLOEXEC))), wakeup_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = wakeup_}};
  if (wakeup_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) {
    if (wakeup_ >= 0) close(wakeup_);
    close(epoll_);
    Descriptor(-1);
  }
}

SocketWatch::~SocketWatch() {
  close(wakeup_);
  close(epoll_);
}

void SocketWatch::Attach(CURLM* multi) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &OnSocket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &OnTimer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  multi_ = multi;
  timer_ = SteadyTime::max();
  ready_count_ = 0;
}

void SocketWatch::Wake() noexcept {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then there is a wakeup already.
  (void)!write(wakeup_, &one, sizeof one);
}

void SocketWatch::Wait(SteadyTime until) {
  const int count =
      epoll_wait(epoll_, ready_.data(), ready_.size(), MillisecondsUntil(Now(), std::min(until, timer_)));
  ready_count_ = count > 0 ? static_cast<size_t>(count) : 0;  // an interrupted wait found nothing
  // Here and not in Advance: a Wake that comes once Wait has returned is for the next one.
  uint64_t wakeups = 0;
  (void)!read(wakeup_, &wakeups, sizeof wakeups);
}

bool SocketWatch::Advance() {
  int running = 0;
  const size_t count = std::exchange(ready_count_, 0);
  for (size_t i = 0; i < count; ++i) {
    const int socket = ready_[i].data.fd;
    if (socket == wakeup_) continue;
    // A socket that libcurl closed meanwhile is one it does not know, which it ignores.
    if (curl_multi_socket_action(multi_, socket, ReadyMask(ready_[i].events), &running) != CURLM_OK)
      return false;
  }
  if (Now() < timer_) return true;
  timer_ = SteadyTime::max();
  return curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running) == CURLM_OK;
}

// `known` is null until libcurl is told otherwise, which tells a new socket from a change.
int SocketWatch::OnSocket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
  auto& watch = *static_cast<SocketWatch*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(watch.epoll_, EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  epoll_event event{.events = 0, .data = {.fd = socket}};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  const int operation = known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (epoll_ctl(watch.epoll_, operation, socket, &event) != 0) return -1;  // libcurl gives the transfer up
  if (known == nullptr) curl_multi_assign(watch.multi_, socket, self);
  return 0;
}

int SocketWatch::OnTimer(CURLM*, long milliseconds, void* self) {
  auto& watch = *static_cast<SocketWatch*>(self);
  watch.timer_ = milliseconds < 0 ? SteadyTime::max() : Now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

}  // namespace bucketline
