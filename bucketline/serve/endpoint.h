// Endpoint: what all connections of a Server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string>

#include <fmt/format.h>

#include "bucketline/base/random.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/serve/auth.h"
#include "bucketline/serve/fault_injector.h"
#include "bucketline/serve/s3_handler.h"
#include "bucketline/serve/server.h"

namespace bucketline::serve {

struct Endpoint {
  ServerOptions options;
  ServerCounters counters;
  std::stop_source stop;
  Authenticator authenticator;
  FaultInjector faults;
  S3Handler handler;
  ThreadPool workers;  // for what may block
  std::atomic<uint64_t> requests{0};
  std::atomic<size_t> open_connections{0};

  // Sixteen digits that look as S3's request ids do.
  std::string NewRequestId() { return fmt::format("{:016X}", Mix64(requests.fetch_add(1) + 1)); }
};

}  // namespace bucketline::serve
