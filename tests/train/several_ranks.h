// Ranks of one group as threads of the test.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/ranks.h"
#include "bucketline/train/nn/rank_group.h"

namespace bucketline::nn {

// A port of the loopback that nobody has now.
inline std::string FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(socket, generic, length) == 0 && ::getsockname(socket, generic, &length) == 0;
  ::close(socket);
  if (!bound) throw Error(ErrorCode::kIo, "no free port on the loopback");
  return std::to_string(ntohs(address.sin_port));
}

inline VariableLookup MeetAt(const std::string& port) {
  return [port](const std::string& name) -> std::optional<std::string> {
    if (name == "MASTER_ADDR") return "127.0.0.1";
    if (name == "MASTER_PORT") return port;
    return std::nullopt;
  };
}

// Runs `work(rank)` on a thread for each, and gives what each threw; null: nothing.
inline std::vector<std::exception_ptr> OnThreads(size_t count, const std::function<void(size_t)>& work) {
  ::setenv("GLOO_SOCKET_IFNAME", "lo", 1);  // tests stay on the loopback
  std::vector<std::exception_ptr> thrown(count);
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        work(rank);
      } catch (...) {
        thrown[rank] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return thrown;
}

// The same with a group that all of them have joined.
inline std::vector<std::exception_ptr> OnRanks(size_t count, const std::function<void(RankGroup&)>& work,
                                               Duration timeout = std::chrono::seconds(60)) {
  const std::string port = FreePort();
  return OnThreads(count, [&](size_t rank) {
    const std::unique_ptr<RankGroup> group =
        JoinRanks({.rank = rank, .world_size = count}, timeout, MeetAt(port));
    work(*group);
  });
}

inline void RethrowFirst(const std::vector<std::exception_ptr>& thrown) {
  for (const std::exception_ptr& one : thrown) {
    if (one) std::rethrow_exception(one);
  }
}

inline Error ErrorIn(const std::exception_ptr& thrown) {
  if (!thrown) return Error(ErrorCode::kInternal, "nothing was thrown");
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace bucketline::nn
