#include "bucketline/exec/buffer_pool.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>
#include <vector>

#include "bucketline/exec/huge_memory.h"

namespace bucketline {

std::shared_ptr<uint8_t[]> BufferPool::Take(size_t bytes) {
  if (bytes < kSmallest) return Make(bytes).memory;
  Buffer buffer = TakeIdle(bytes);
  if (buffer.memory == nullptr) buffer = Make(bytes);
  uint8_t* const memory = buffer.memory.get();
  return {memory, [self = shared_from_this(), buffer = std::move(buffer)](uint8_t*) mutable {
            self->Return(std::move(buffer));
          }};
}

BufferPool::Buffer BufferPool::Make(size_t bytes) {
  if (bytes < kHugePage)
    return {std::shared_ptr<uint8_t[]>(new uint8_t[bytes]), bytes};  // not zeroed on purpose
  const std::shared_ptr<void> memory = MapHuge(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return {std::shared_ptr<uint8_t[]>(memory, static_cast<uint8_t*>(memory.get())), bytes};
}

BufferPool::Buffer BufferPool::TakeIdle(size_t bytes) {
  std::lock_guard lock(mutex_);
  const auto fits = std::find_if(idle_.rbegin(), idle_.rend(), [&](const Buffer& buffer) {
    return buffer.size >= bytes && buffer.size - bytes <= bytes / kWaste;
  });
  if (fits == idle_.rend()) return {};
  Buffer buffer = std::move(*fits);
  idle_.erase(std::next(fits).base());
  idle_bytes_ -= buffer.size;
  return buffer;
}

void BufferPool::Return(Buffer buffer) {
  if (buffer.size > idle_limit_) return;
  std::vector<Buffer> dropped;  // freed after the lock is gone
  std::lock_guard lock(mutex_);
  idle_bytes_ += buffer.size;
  idle_.push_back(std::move(buffer));
  while (idle_bytes_ > idle_limit_) {
    idle_bytes_ -= idle_.front().size;
    dropped.push_back(std::move(idle_.front()));
    idle_.pop_front();
  }
}

uint64_t BufferPool::idle_bytes() const {
  std::lock_guard lock(mutex_);
  return idle_bytes_;
}

}  // namespace bucketline
