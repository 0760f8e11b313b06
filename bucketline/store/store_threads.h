// StoreThreads: the threads on which a local store does its work and calls back.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include "bucketline/base/result.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/store/call_tracker.h"

namespace bucketline {

// Thread-safe. Must be destroyed before what its work refers to: declare it last.
class StoreThreads {
 public:
  StoreThreads(size_t threads, const std::string& name) : pool_(threads, name) {}
  ~StoreThreads() { Finish(); }

  // Runs `work` on one of the threads, never inside this call. Throws kCancelled after Finish().
  void Run(std::function<void()> work);

  // Runs `work()` and gives `done` what it returns or throws; kCancelled when a stop came before it began.
  // Errors without a URI get `uri`.
  template <typename Work, typename Done>
  void Call(std::stop_token call_stop, std::string uri, Work work, Done done) {
    Run([stop = CallStop{std::move(call_stop), tracker_.stop_token()}, uri = std::move(uri),
         work = std::move(work), done = std::move(done)]() mutable {
      auto result = Catch([&] {
        stop.Check(uri);
        return work(stop);
      });
      if (result.ok()) {
        done(std::move(result));
      } else {
        done(result.error().WithUri(uri));
      }
    });
  }

  // For calls that wait without a thread; they too end before Finish() returns.
  CallTracker& tracker() { return tracker_; }

  // Requests stop, waits for every call to end, then ends the threads. Idempotent.
  void Finish();

 private:
  CallTracker tracker_;
  ThreadPool pool_;
};

}  // namespace bucketline
