#include "bucketline/exec/thread_pool.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

constexpr size_t kMaxNameLength = 15;  // the kernel's limit, without the terminating zero

// Blocks every signal in the calling thread while it lives: a thread started meanwhile inherits the mask.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

std::thread StartThread(std::string name, std::function<void()> body) {
  name.resize(std::min(name.size(), kMaxNameLength));
  const SignalsBlocked blocked;
  try {
    return std::thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name.c_str());
      body();
    });
  } catch (const std::system_error& error) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("could not start thread \"{}\": {}; use fewer threads or raise the process's limits",
                    name, error.code().message()));
  }
}

ThreadPool::ThreadPool(size_t threads, const std::string& name) {
  threads = std::max<size_t>(threads, 1);
  threads_.reserve(threads);
  try {
    while (threads_.size() < threads) threads_.push_back(StartThread(name, [this] { Run(); }));
  } catch (...) {
    Stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { Stop(); }

bool ThreadPool::Submit(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  if (stopping_) return false;
  tasks_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void ThreadPool::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  std::lock_guard lock(join_mutex_);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ThreadPool::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // captures end here, outside the lock
    lock.lock();
  }
}

}  // namespace bucketline
