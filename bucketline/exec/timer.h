// Timer: calls back after a delay; one thread for any number of pending calls.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "bucketline/base/clock.h"

namespace bucketline {

// Thread-safe. Callbacks run on the timer's thread, must be short and must not throw.
class Timer {
 public:
  using Id = uint64_t;

  Timer();
  ~Timer();  // Stop()

  // Calls `callback(true)` once after `delay`, or `callback(false)` once at Stop(): exactly once, unless
  // cancelled. After Stop() it calls back with false at once, on the calling thread. A delay of zero or less
  // is due already; callbacks run in the order of their due times, equal ones in the order of the calls.
  Id After(Duration delay, std::function<void(bool fired)> callback);

  // True when the callback will never run (it had not begun); its captures are destroyed before this returns.
  bool Cancel(Id id);

  // Calls every pending callback with false and ends the thread. Idempotent. Not to be called from a
  // callback.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::pair<SteadyTime, Id>, std::function<void(bool)>> pending_;
  std::map<Id, SteadyTime> due_;
  Id next_id_ = 1;
  bool stopping_ = false;
  std::mutex join_mutex_;
  std::thread thread_;
};

}  // namespace bucketline
