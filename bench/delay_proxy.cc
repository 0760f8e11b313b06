// delay_proxy --to HOST:PORT [--delay 50ms | --median 30ms --p99 600ms] [--seed N]
//
// A raw pass-through of TCP bytes that keeps back the first byte of every answer: a far-away server for benchmarks, the
// same for every contender. Bytes of the client go on at once; from a client's first byte after an answer, the bytes of
// the server wait until the delay has passed (fixed, or drawn from a lognormal distribution), then flow freely. So the
// time to the first byte is the delay or what the server needs, whichever is longer.
//
// Listens on a free port of 127.0.0.1, prints {"port": N} and works until its standard input closes; then prints
// {"turns": N, "bytes": N, "cpu_seconds": X}, its own cost.
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bucketline/base/units.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kNormalP99 = 2.3263478740408408;  // the 99th percentile of the standard normal distribution

class Delays {
 public:
  Delays(double fixed_seconds, double median_seconds, double p99_seconds, uint64_t seed)
      : fixed_(fixed_seconds), random_(seed) {
    if (median_seconds > 0) {
      tail_ = true;
      lognormal_ = std::lognormal_distribution<double>(
          std::log(median_seconds), (std::log(p99_seconds) - std::log(median_seconds)) / kNormalP99);
    }
  }
  Clock::duration Draw() {
    const double seconds = tail_ ? lognormal_(random_) : fixed_;
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

 private:
  double fixed_;
  bool tail_ = false;
  std::lognormal_distribution<double> lognormal_;
  std::mt19937_64 random_;
};

// One direction: bytes read from one socket that the other has not taken yet.
struct Flow {
  std::vector<char> held;
  size_t sent = 0;
  bool empty() const { return sent == held.size(); }
};

struct Pair {
  int client = -1;
  int server = -1;
  Flow up, down;
  bool answering = true;  // the server spoke last: the client's next byte begins a turn
  bool waiting = false;   // the answer is being kept back
  bool server_ended = false;
};

int Listen(int* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no socket to listen on");
  }
  *port = ntohs(address.sin_port);
  return fd;
}

class Proxy {
 public:
  Proxy(sockaddr_in upstream, Delays delays) : upstream_(upstream), delays_(std::move(delays)) {
    listener_ = Listen(&port_);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    Watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
    Watch(STDIN_FILENO, EPOLLIN, EPOLL_CTL_ADD);
  }

  int port() const { return port_; }
  uint64_t turns() const { return turns_; }
  uint64_t bytes() const { return bytes_; }

  void Run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), MillisecondsToNext());
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == STDIN_FILENO) {
          char byte;
          if (read(STDIN_FILENO, &byte, 1) <= 0) return;
        } else if (fd == listener_) {
          Accept();
        } else if (const auto found = pairs_.find(fd); found != pairs_.end()) {
          const std::shared_ptr<Pair> pair = found->second;  // outlives its closing
          Move(*pair, fd, events[i].events);
        }
      }
      ReleaseDue();
    }
  }

 private:
  void Watch(int fd, uint32_t events, int operation) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll_, operation, fd, &event);
  }

  int MillisecondsToNext() const {
    if (releases_.empty()) return -1;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(releases_.begin()->first - Clock::now());
    return static_cast<int>(std::max<int64_t>(wait.count(), 0));
  }

  void Accept() {
    for (;;) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) return;
      const int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      const int connected = connect(server, reinterpret_cast<sockaddr*>(&upstream_), sizeof upstream_);
      if (server < 0 || (connected != 0 && errno != EINPROGRESS)) {
        close(client);
        if (server >= 0) close(server);
        continue;
      }
      const int on = 1;
      for (const int fd : {client, server}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto pair = std::make_shared<Pair>();
      pair->client = client;
      pair->server = server;
      pairs_[client] = pairs_[server] = pair;
      Watch(client, EPOLLIN, EPOLL_CTL_ADD);
      Watch(server, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void Move(Pair& pair, int fd, uint32_t events) {
    const bool from_client = fd == pair.client;
    if ((events & EPOLLOUT) != 0) {
      Flow& flow = from_client ? pair.down : pair.up;
      if (!Flush(fd, flow)) return Close(pair);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !Read(pair, from_client)) return Close(pair);
    if (pair.server_ended && pair.down.empty()) return Close(pair);
    Rewatch(pair);
  }

  // False when the pair is at its end.
  bool Read(Pair& pair, bool from_client) {
    Flow& flow = from_client ? pair.up : pair.down;
    if (!flow.empty() || (!from_client && pair.waiting)) return true;
    flow.held.resize(kChunk);
    flow.sent = 0;
    const ssize_t got = recv(from_client ? pair.client : pair.server, flow.held.data(), kChunk, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      flow.held.clear();
      return true;
    }
    if (got <= 0) {
      flow.held.clear();
      pair.server_ended = !from_client;
      return !from_client;
    }
    flow.held.resize(static_cast<size_t>(got));
    bytes_ += static_cast<uint64_t>(got);
    if (from_client && pair.answering) BeginTurn(pair);
    if (!from_client) pair.answering = true;
    return Flush(from_client ? pair.server : pair.client, flow);
  }

  void BeginTurn(Pair& pair) {
    ++turns_;
    pair.answering = false;
    const Clock::duration delay = delays_.Draw();
    if (delay <= Clock::duration::zero()) return;
    pair.waiting = true;
    releases_.emplace(Clock::now() + delay, pairs_.at(pair.client));
  }

  bool Flush(int fd, Flow& flow) {
    while (!flow.empty()) {
      const ssize_t sent = send(fd, flow.held.data() + flow.sent, flow.held.size() - flow.sent, MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) return true;
      if (sent <= 0) return false;
      flow.sent += static_cast<size_t>(sent);
    }
    return true;
  }

  void Rewatch(Pair& pair) {
    const bool listens = pair.down.empty() && !pair.waiting && !pair.server_ended;
    Watch(pair.client, Interest(pair.up.empty(), !pair.down.empty()), EPOLL_CTL_MOD);
    Watch(pair.server, Interest(listens, !pair.up.empty()), EPOLL_CTL_MOD);
  }

  static uint32_t Interest(bool reads, bool writes) {
    return (reads ? uint32_t{EPOLLIN} : 0) | (writes ? uint32_t{EPOLLOUT} : 0);
  }

  void ReleaseDue() {
    while (!releases_.empty() && releases_.begin()->first <= Clock::now()) {
      const std::shared_ptr<Pair> pair = releases_.begin()->second.lock();
      releases_.erase(releases_.begin());
      if (pair == nullptr || pair->client < 0) continue;
      pair->waiting = false;
      Rewatch(*pair);
    }
  }

  void Close(Pair& pair) {
    for (int* fd : {&pair.client, &pair.server}) {
      pairs_.erase(*fd);
      close(std::exchange(*fd, -1));
    }
  }

  static constexpr size_t kChunk = 256 << 10;

  sockaddr_in upstream_;
  Delays delays_;
  int listener_ = -1;
  int epoll_ = -1;
  int port_ = 0;
  uint64_t turns_ = 0;
  uint64_t bytes_ = 0;
  std::unordered_map<int, std::shared_ptr<Pair>> pairs_;  // by either socket
  std::multimap<Clock::time_point, std::weak_ptr<Pair>> releases_;
};

sockaddr_in ParseTarget(const std::string& target) {
  const size_t colon = target.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (colon == std::string::npos ||
      inet_pton(AF_INET, target.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("--to wants an IPv4 address and a port, as 127.0.0.1:9000");
  }
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(target.substr(colon + 1))));
  return address;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A pass-through that keeps answers back");
  std::string target, delay = "0ms", median = "0ms", p99 = "0ms";
  uint64_t seed = 0;
  app.add_option("--to", target)->required();
  app.add_option("--delay", delay);
  app.add_option("--median", median);
  app.add_option("--p99", p99);
  app.add_option("--seed", seed);
  CLI11_PARSE(app, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  try {
    const auto seconds = [](const std::string& text) {
      return std::chrono::duration<double>(bucketline::ParseDuration(text)).count();
    };
    Proxy proxy(ParseTarget(target), Delays(seconds(delay), seconds(median), seconds(p99), seed));
    std::printf("{\"port\": %d}\n", proxy.port());
    std::fflush(stdout);
    proxy.Run();
    std::printf("{\"turns\": %llu, \"bytes\": %llu, \"cpu_seconds\": %.6f}\n",
                static_cast<unsigned long long>(proxy.turns()),
                static_cast<unsigned long long>(proxy.bytes()),
                static_cast<double>(std::clock()) / CLOCKS_PER_SEC);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "delay_proxy: %s\n", error.what());
    return 1;
  }
}
