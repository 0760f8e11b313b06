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

#include "tests/support/free_port.h"

#include "bucketline/base/error.h"
#include "bucketline/base/ranks.h"
#include "bucketline/train/nn/rank_group.h"

namespace bucketline::nn {

inline std::string FreePort() { return std::to_string(testing::FreePort()); }

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
