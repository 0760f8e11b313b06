#include "bucketline/exec/timer.h"

#include "bucketline/exec/thread_pool.h"

namespace bucketline {
namespace {

SteadyTime DueAfter(Duration delay) {
  const SteadyTime now = Clock::Real().Now();
  return delay > SteadyTime::max() - now ? SteadyTime::max() : now + delay;
}

}  // namespace

Timer::Timer() {
  thread_ = StartThread("bl-timer", [this] { Run(); });
}

Timer::~Timer() { Stop(); }

Timer::Id Timer::After(Duration delay, std::function<void(bool fired)> callback) {
  std::unique_lock lock(mutex_);
  const Id id = next_id_++;
  if (stopping_) {
    lock.unlock();
    callback(false);
    return id;
  }
  const SteadyTime due = DueAfter(delay);
  due_.emplace(id, due);
  const auto place = pending_.emplace(std::pair(due, id), std::move(callback)).first;
  if (place == pending_.begin()) wake_.notify_one();
  return id;
}

bool Timer::Cancel(Id id) {
  std::function<void(bool)> callback;  // destroyed after the lock is gone: captures may call this timer
  std::lock_guard lock(mutex_);
  const auto due = due_.find(id);
  if (due == due_.end()) return false;
  const auto pending = pending_.find({due->second, id});
  callback = std::move(pending->second);
  pending_.erase(pending);
  due_.erase(due);
  return true;
}

void Timer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  std::lock_guard lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void Timer::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (pending_.empty()) {
      if (stopping_) return;
      wake_.wait(lock);
      continue;
    }
    const auto first = pending_.begin();
    const auto [due, id] = first->first;
    if (!stopping_ && due > Clock::Real().Now()) {
      wake_.wait_until(lock, due);
      continue;
    }
    std::function<void(bool)> callback = std::move(first->second);
    const bool fired = !stopping_;
    pending_.erase(first);
    due_.erase(id);
    lock.unlock();
    callback(fired);
    callback = nullptr;  // captures end here, outside the lock
    lock.lock();
  }
}

}  // namespace bucketline
