// LoopbackServer: a raw TCP server for tests, on a free port of 127.0.0.1; the test scripts every byte.
#pragma once

#include <atomic>
#include <charconv>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bucketline/exec/thread_pool.h"

namespace bucketline {

// One accepted connection; used by its handler's thread.
class LoopbackConnection {
 public:
  explicit LoopbackConnection(int fd, size_t number) : fd_(fd), number_(number) {}
  LoopbackConnection(const LoopbackConnection&) = delete;
  LoopbackConnection& operator=(const LoopbackConnection&) = delete;

  size_t number() const { return number_; }  // 0 for the server's first connection
  int fd() const { return fd_; }

  // The next request: its head up to the empty line, and what Content-Length announced. False when the peer
  // is gone.
  bool ReadRequest() {
    head.clear();
    body.clear();
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return false;
    }
    head = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    const size_t length = AnnouncedLength();
    while (buffer_.size() < length) {
      if (!ReadMore()) return false;
    }
    body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return true;
  }
  // As ReadRequest, but leaves the body unread.
  bool ReadHead() {
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!ReadMore()) return false;
    }
    return true;
  }

  bool Write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  bool Respond(std::string_view body_text, std::string_view extra_headers = {}) {
    return Write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body_text.size()) + "\r\n" +
                 std::string(extra_headers) + "\r\n" + std::string(body_text));
  }

  // Makes the close that follows the handler a TCP reset.
  void ResetOnClose() {
    const linger hard{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  // Blocks until the client closes or the server is destroyed: a server that has stalled.
  void WaitForPeer() {
    char byte;
    while (recv(fd_, &byte, 1, 0) > 0) {
    }
  }

  std::string head;  // of the latest request
  std::string body;

 private:
  bool ReadMore() {
    char chunk[65536];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    buffer_.append(chunk, static_cast<size_t>(got));
    return true;
  }
  size_t AnnouncedLength() const {
    constexpr std::string_view kName = "Content-Length: ";
    const size_t at = head.find(kName);
    size_t length = 0;
    if (at != std::string::npos) {
      std::from_chars(head.data() + at + kName.size(), head.data() + head.size(), length);
    }
    return length;
  }

  const int fd_;
  const size_t number_;
  std::string buffer_;
};

// Runs `handler` on a thread of its own (signals blocked: OpenSSL writes raise SIGPIPE) for every connection
// and closes the connection when it returns. The destructor ends all connections and waits for the handlers.
class LoopbackServer {
 public:
  using Handler = std::function<void(LoopbackConnection&)>;

  // `last` is that of the address, 127.0.0.1 unless told otherwise; port 0 is any free one.
  explicit LoopbackServer(Handler handler, int last = 1, int port = 0) : handler_(std::move(handler)) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000000u + static_cast<uint32_t>(last));
    address.sin_port = htons(static_cast<uint16_t>(port));
    socklen_t size = sizeof address;
    if (fd_ < 0 || bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_, 1024) != 0 ||
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no loopback socket");
    }
    port_ = ntohs(address.sin_port);
    accepter_ = StartThread("test-accept", [this] { Accept(); });
  }

  ~LoopbackServer() {
    stopping_ = true;
    shutdown(fd_, SHUT_RDWR);
    accepter_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    close(fd_);
  }

  int port() const { return port_; }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string Url(std::string_view path = "/", std::string_view scheme = "http") const {
    return std::string(scheme) + "://" + authority() + std::string(path);
  }
  size_t connections() const { return accepted_; }

  // Answers every request on a kept connection with `body`.
  static Handler Always(std::string body) {
    return [body = std::move(body)](LoopbackConnection& connection) {
      while (connection.ReadRequest() && connection.Respond(body)) {
      }
    };
  }
  // Reads one request, writes these bytes and closes.
  static Handler Once(std::string bytes) {
    return [bytes = std::move(bytes)](LoopbackConnection& connection) {
      if (connection.ReadRequest()) connection.Write(bytes);
    };
  }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (stopping_ || fd < 0) {
        if (fd >= 0) close(fd);
        if (stopping_) return;
        continue;
      }
      const size_t number = accepted_++;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.push_back(StartThread("test-serve", [this, fd, number] { Serve(fd, number); }));
    }
  }
  void Serve(int fd, size_t number) {
    LoopbackConnection connection(fd, number);
    handler_(connection);
    const std::lock_guard lock(mutex_);
    open_.remove(fd);
    close(fd);
  }

  Handler handler_;
  int fd_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> accepted_{0};
  std::mutex mutex_;
  std::list<int> open_;
  std::vector<std::thread> threads_;
  std::thread accepter_;
};

// A port which refuses connections: a bound socket keeps it from others, and nobody listens.
class ClosedPort {
 public:
  ClosedPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    if (bind(fd_, Address(), size) != 0 || getsockname(fd_, Address(), &size) != 0) {
      throw std::runtime_error("cannot bind a loopback port");
    }
  }
  ~ClosedPort() { close(fd_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;

  sockaddr* Address() { return reinterpret_cast<sockaddr*>(&address_); }
  int port() const { return ntohs(address_.sin_port); }
  std::string authority() const { return "127.0.0.1:" + std::to_string(port()); }
  std::string Url() const { return "http://" + authority() + "/key?X-Amz-Signature=secret"; }

 protected:
  const int fd_;
  sockaddr_in address_{};
};

}  // namespace bucketline
