// LogQueue: the engine's messages on their way to Python's logging.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "bucketline/base/log.h"

namespace bucketline::python {

// Engine threads only add, and never wait for the GIL: whoever holds it may be waiting for them. Python threads take
// when they look up.
class LogQueue {
 public:
  static constexpr size_t kMost = 1000;  // beyond it the oldest are dropped

  void Add(LogLevel level, std::string_view message);

  // Hands what came to logging.getLogger("bucketline"). With the GIL. Throws what a handler raises.
  void Drain();

 private:
  std::mutex mutex_;
  std::deque<std::pair<LogLevel, std::string>> messages_;
};

}  // namespace bucketline::python
