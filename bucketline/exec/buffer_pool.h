// BufferPool: memory for bytes that come and go, used again: fresh pages cost more than the copy into them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

namespace bucketline {

// Thread-safe. Always owned by a shared_ptr; lives as long as any buffer of it. Knows nothing of budgets: what lies idle
// is beside them, hence the limit.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  // Smaller buffers are the allocator's own business, which keeps them at hand.
  static constexpr size_t kSmallest = size_t{16} << 10;
  // A buffer may be larger than what it was taken for, by at most this part of it.
  static constexpr size_t kWaste = 8;

  // Keeps at most `idle_limit` bytes that nobody uses.
  explicit BufferPool(uint64_t idle_limit) : idle_limit_(idle_limit) {}

  // At least `bytes` of memory, whose content is whatever it was; the one used last that fits. It comes back when the last
  // copy of the pointer goes, on any thread. Large ones are in huge pages. Throws std::bad_alloc.
  std::shared_ptr<uint8_t[]> Take(size_t bytes);

  uint64_t idle_bytes() const;

 private:
  struct Buffer {
    std::shared_ptr<uint8_t[]> memory;
    size_t size = 0;
  };
  static Buffer Make(size_t bytes);
  Buffer TakeIdle(size_t bytes);  // without memory when none fits
  void Return(Buffer buffer);

  const uint64_t idle_limit_;
  mutable std::mutex mutex_;  // guards what follows
  uint64_t idle_bytes_ = 0;
  std::deque<Buffer> idle_;  // the one used last is the last
};

}  // namespace bucketline
