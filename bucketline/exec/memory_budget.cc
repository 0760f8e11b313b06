#include "bucketline/exec/memory_budget.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"

namespace bucketline {

Reservation::Reservation(Reservation&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Reservation::Release() {
  ShrinkTo(0);
  budget_ = nullptr;
}

void Reservation::ShrinkTo(uint64_t bytes) {
  if (bytes >= bytes_) return;
  budget_->Return(bytes_ - bytes);
  bytes_ = bytes;
}

void Reservation::Merge(Reservation other) {
  if (other.budget_ == nullptr) return;
  if (budget_ == nullptr) budget_ = other.budget_;
  if (budget_ != other.budget_) {
    throw Error(ErrorCode::kInternal, "reservations of different memory budgets cannot be merged");
  }
  bytes_ += std::exchange(other.bytes_, 0);
}

std::optional<Reservation> MemoryBudget::Acquire(uint64_t bytes, std::stop_token stop) {
  if (bytes > capacity_) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format(
            "{} ({} bytes) can never fit into a memory budget of {}; raise the budget to at least that",
            FormatByteSize(bytes), bytes, FormatByteSize(capacity_)));
  }
  std::unique_lock lock(mutex_);
  if (stop.stop_requested()) return std::nullopt;
  if (TakeLocked(bytes)) return Reservation(this, bytes);
  Waiter waiter;
  waiter.bytes = bytes;
  const auto place = waiters_.insert(waiters_.end(), &waiter);
  waiter.wake.wait(lock, stop, [&] { return waiter.granted; });
  if (waiter.granted) return Reservation(this, bytes);
  waiters_.erase(place);
  GrantLocked();  // those behind may fit where this one did not
  return std::nullopt;
}

std::optional<Reservation> MemoryBudget::TryAcquire(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  if (!TakeLocked(bytes)) return std::nullopt;
  return Reservation(this, bytes);
}

uint64_t MemoryBudget::used() const {
  std::lock_guard lock(mutex_);
  return used_;
}

uint64_t MemoryBudget::peak() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

size_t MemoryBudget::waiting() const {
  std::lock_guard lock(mutex_);
  return waiters_.size();
}

void MemoryBudget::Return(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  used_ -= bytes;
  GrantLocked();
}

bool MemoryBudget::TakeLocked(uint64_t bytes) {
  if (!waiters_.empty() || bytes > capacity_ - used_) return false;
  UseLocked(bytes);
  return true;
}

void MemoryBudget::UseLocked(uint64_t bytes) {
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

void MemoryBudget::GrantLocked() {
  while (!waiters_.empty() && waiters_.front()->bytes <= capacity_ - used_) {
    Waiter* first = waiters_.front();
    waiters_.pop_front();
    UseLocked(first->bytes);
    first->granted = true;
    first->wake.notify_one();  // under the lock: the waiter lives on its caller's stack
  }
}

}  // namespace bucketline
