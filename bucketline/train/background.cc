#include "bucketline/train/background.h"

#include <utility>

#include "bucketline/base/error.h"

namespace bucketline {

void Background::Start(std::function<void()> task) {
  Wait();
  {
    const std::lock_guard lock(mutex_);
    busy_ = true;
  }
  const bool taken = pool_.Submit([this, task = std::move(task)] {
    std::exception_ptr failure;
    try {
      task();
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    busy_ = false;
    idle_.notify_all();
  });
  if (!taken) throw Error(ErrorCode::kInternal, "the background thread has ended");
}

bool Background::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void Background::Check() { Rethrow(std::unique_lock(mutex_)); }

void Background::Wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !busy_; });
  Rethrow(std::move(lock));
}

void Background::Rethrow(std::unique_lock<std::mutex> lock) {
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  lock.unlock();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace bucketline
