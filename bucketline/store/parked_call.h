// ParkedCall: a completion that waits for a release or a stop, whichever comes first.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "bucketline/store/linked_stop.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {

// Thread-safe. Counts as a call of its store's threads until it has ended.
class ParkedCall : public std::enable_shared_from_this<ParkedCall> {
 public:
  // Calls `end` exactly once, on one of the threads: with false after Release(), or with true after a stop
  // request of the call or of the store.
  static std::shared_ptr<ParkedCall> Park(StoreThreads& threads, const std::stop_token& call_stop,
                                          std::function<void(bool stopped)> end);

  // No effect when the call has ended. May be called after the store is gone.
  void Release() { End(false); }

 private:
  ParkedCall(StoreThreads& threads, const std::stop_token& call_stop, std::function<void(bool)> end);
  void WatchForStop();
  void End(bool stopped);

  StoreThreads& threads_;
  LinkedStop link_;
  CallTracker::Ticket ticket_;
  std::function<void(bool)> end_;
  std::atomic<bool> ending_ = false;
  std::mutex on_stop_mutex_;  // a stop may end the call while the callback is still being set up
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

}  // namespace bucketline
