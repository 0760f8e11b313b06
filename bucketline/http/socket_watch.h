// SocketWatch: waits for the sockets and the timer of a multi handle, and hands them back to libcurl.
#pragma once

#include <array>
#include <cstddef>

#include <curl/curl.h>
#include <sys/epoll.h>

#include "bucketline/base/clock.h"

namespace bucketline {

// Why not curl_multi_poll and curl_multi_perform: those ask the kernel about every transfer that is under way whenever
// one of them moves, which at 64 requests in flight was 35 system calls a request.
//
// One thread calls all of it; Wake is for everybody.
class SocketWatch {
 public:
  // Throws kResourceExhausted when there are no descriptors left.
  SocketWatch();
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  // From now on the sockets and the timer of `multi` are watched; the one before has no transfers left.
  void Attach(CURLM* multi);

  // Ends the Wait that runs, or the next one.
  void Wake() noexcept;

  // Sleeps until a socket is ready, libcurl's timer or `until` has passed, or somebody wakes it.
  void Wait(SteadyTime until);

  // Lets libcurl go on with what Wait found and with what its timer says. False when libcurl cannot.
  bool Advance();

 private:
  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* self, void* known);
  static int OnTimer(CURLM* multi, long milliseconds, void* self);

  static constexpr size_t kMostEvents = 256;  // a round; the others come with the next

  const int epoll_;
  const int wakeup_;
  CURLM* multi_ = nullptr;
  std::array<epoll_event, kMostEvents> ready_{};
  size_t ready_count_ = 0;
  SteadyTime timer_ = SteadyTime::max();  // libcurl's, which it sets once for each time
};

}  // namespace bucketline
