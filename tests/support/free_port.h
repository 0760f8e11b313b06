// FreePort: a loopback port for a server that is told where to listen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bucketline::testing {

inline bool BindsLoopback(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return bound;
}

// The first and last port of the larger range outside of what the kernel gives to connections and to listeners on port
// 0.
inline std::pair<int, int> PortsNobodyIsGiven() {
  int low = 0, high = 0;
  if (!(std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> low >> high)) {
    throw std::runtime_error("cannot read /proc/sys/net/ipv4/ip_local_port_range");
  }
  const std::pair below(10000, low - 1), above(high + 1, 65535);
  return below.second - below.first > above.second - above.first ? below : above;
}

// Nobody else takes it before that server does: no connection gets it, and no other caller of this or of the Python
// tests' free_port does while this process lives, which holds the port's name among the abstract Unix sockets.
inline int FreePort() {
  const auto [low, high] = PortsNobodyIsGiven();
  std::random_device device;
  std::uniform_int_distribution<int> any(low, high);
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = any(device);
    const std::string name = "bucketline-port-" + std::to_string(port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const int lease = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);  // left open until the process ends
    if (::bind(lease, reinterpret_cast<sockaddr*>(&address), length) == 0 && BindsLoopback(port)) return port;
    ::close(lease);
  }
  throw std::runtime_error("no free loopback port");
}

}  // namespace bucketline::testing
