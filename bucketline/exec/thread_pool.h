// ThreadPool: a fixed number of named threads that run tasks in the order of submission.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bucketline {

// Own threads block every signal, so that the process's handlers run elsewhere and SIGPIPE never kills.
// Tasks must not throw (std::terminate) and must not wait for other tasks of the same pool.
class ThreadPool {
 public:
  // 0 threads count as 1. `name` shows in ps and debuggers (15 characters at most are kept). Throws
  // kResourceExhausted when the system refuses a thread.
  ThreadPool(size_t threads, const std::string& name);
  ~ThreadPool();  // Stop()

  // Thread-safe. False, with the task not run, once stopped. The queue is not bounded here: users bound what
  // they submit by slots or budget.
  [[nodiscard]] bool Submit(std::function<void()> task);

  // Runs what was submitted, then ends the threads. Idempotent. Not to be called from a task of the pool.
  void Stop();

  size_t size() const { return threads_.size(); }

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::mutex join_mutex_;
  std::vector<std::thread> threads_;
};

// Starts a thread with all signals blocked and the given name. Throws kResourceExhausted when the system
// refuses it.
std::thread StartThread(std::string name, std::function<void()> body);

}  // namespace bucketline
