// CallTracker: knows which calls of a store still run, tells them to stop, and waits for them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace bucketline {

// Thread-safe. Every asynchronous call holds a ticket from its beginning until its `done` has returned; a
// call begun inside that `done` therefore counts before the first one ends, and CancelAndWait() waits for the
// whole chain.
class CallTracker {
 public:
  using Ticket = std::shared_ptr<void>;

  CallTracker() = default;
  CallTracker(const CallTracker&) = delete;
  CallTracker& operator=(const CallTracker&) = delete;
  ~CallTracker() { CancelAndWait(); }

  Ticket Enter();

  // Requested by CancelAndWait().
  std::stop_token stop_token() const { return stop_.get_token(); }

  // Requests stop and waits until no ticket is left. Idempotent. Not to be called by a holder of a ticket.
  void CancelAndWait();

  size_t running() const;

 private:
  void Leave();

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  size_t running_ = 0;
  std::stop_source stop_;
};

// What can end one call early: its own stop request, or the end of its store.
struct CallStop {
  std::stop_token call;
  std::stop_token store;

  bool Requested() const { return call.stop_requested() || store.stop_requested(); }
  void Check(const std::string& uri) const;  // throws kCancelled when requested
};

}  // namespace bucketline
