// RuntimeHandle: a Runtime that Python objects share, and the log of it.
#pragma once

#include <functional>
#include <memory>

#include "src/log_queue.h"

#include "bucketline/runtime/runtime.h"

namespace bucketline::python {

struct RuntimeHandle {
  std::shared_ptr<LogQueue> logs;  // outlives the runtime's threads
  std::shared_ptr<Runtime> runtime;

  // Throws kInternal in a forked child, where nothing may wait for the runtime's threads.
  void CheckProcess() const { static_cast<void>(runtime->memory()); }

  // For waits: what happens each time that they look up. Throws as CheckProcess does.
  std::function<void()> LookUp() const {
    CheckProcess();
    return [logs = logs] { logs->Drain(); };
  }
};

}  // namespace bucketline::python
