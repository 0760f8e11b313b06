#include "bucketline/store/call_tracker.h"

#include "bucketline/base/error.h"

namespace bucketline {

CallTracker::Ticket CallTracker::Enter() {
  std::lock_guard lock(mutex_);
  ++running_;
  return Ticket(this, [](void* tracker) { static_cast<CallTracker*>(tracker)->Leave(); });
}

void CallTracker::Leave() {
  // Notified under the lock: the waiter may destroy this object as soon as it gets the lock.
  std::lock_guard lock(mutex_);
  if (--running_ == 0) idle_.notify_all();
}

void CallTracker::CancelAndWait() {
  stop_.request_stop();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return running_ == 0; });
}

size_t CallTracker::running() const {
  std::lock_guard lock(mutex_);
  return running_;
}

void CallStop::Check(const std::string& uri) const {
  if (!Requested()) return;
  throw Error(ErrorCode::kCancelled,
              call.stop_requested() ? "stopped on request" : "the store was closed while the call ran", uri);
}

}  // namespace bucketline
