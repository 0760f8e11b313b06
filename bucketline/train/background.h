// Background: one task at a time on a thread of its own.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>

#include "bucketline/exec/thread_pool.h"

namespace bucketline {

// Used by one thread. A task that throws does so into the next Start, Check or Wait, once.
class Background {
 public:
  explicit Background(const std::string& name) : pool_(1, name) {}
  ~Background() = default;  // lets a running task end; what it threw is lost

  // Waits for the task before; then runs this one and returns at once. Throws what the task before threw; this
  // one is then not started.
  void Start(std::function<void()> task);
  bool busy() const;
  void Check();  // throws what a task that has ended threw; never waits
  void Wait();   // until nothing runs

 private:
  void Rethrow(std::unique_lock<std::mutex> lock);

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  bool busy_ = false;
  std::exception_ptr failure_;
  ThreadPool pool_;  // last: its thread ends before what it uses
};

}  // namespace bucketline
