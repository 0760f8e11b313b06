// Waits that Ctrl-C ends: the engine works on another thread, this one looks up now and then.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

#include <nanobind/nanobind.h>

#include "bucketline/exec/thread_pool.h"

namespace bucketline::python {

constexpr std::chrono::milliseconds kLookUp{50};

// With the GIL: throws KeyboardInterrupt, or whatever a signal's handler raises.
inline void CheckSignals() {
  if (PyErr_CheckSignals() != 0) throw nanobind::python_error();
}

// `work(stop)` on a thread of its own, which must not touch Python; called and returning with the GIL, which others
// have meanwhile. `look_up` is called with it every kLookUp; what it or a signal's handler raises stops the work, is
// waited out and thrown.
template <typename Work>
std::invoke_result_t<Work, std::stop_token> Interruptible(Work work, const std::function<void()>& look_up) {
  using Value = std::invoke_result_t<Work, std::stop_token>;
  std::stop_source stop;
  std::packaged_task<Value()> task([&] { return work(stop.get_token()); });
  std::future<Value> done = task.get_future();
  std::thread thread = StartThread("bl-call", [&task] { task(); });
  std::exception_ptr raised;
  {
    const nanobind::gil_scoped_release others_run;
    while (!raised && done.wait_for(kLookUp) == std::future_status::timeout) {
      const nanobind::gil_scoped_acquire held;
      try {
        look_up();
        CheckSignals();
      } catch (...) {
        stop.request_stop();
        raised = std::current_exception();
      }
    }
    thread.join();
  }
  look_up();
  if (raised) std::rethrow_exception(raised);
  return done.get();
}

}  // namespace bucketline::python
