// BatchPool: the memory of batches: aligned, recycled, and counted once it is the user's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace bucketline {

constexpr size_t kBatchAlignment = 64;

// Gives blocks to batches that are being made; a block comes back when the last reference to it goes, on any
// thread, also after the pool is gone. Returned blocks are kept for batches of the same size, as long as
// blocks in the making and idle ones stay within `share` together. Thread-safe.
class BatchPool {
 public:
  using Allocator = std::function<std::shared_ptr<void>(size_t bytes)>;
  class Block;

  // `allocator`, when set, gives the memory instead; such blocks are not kept.
  BatchPool(uint64_t share, Allocator allocator);
  ~BatchPool();  // Drain()
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  // A block whose memory comes with the first call of its data(). Batches are opened far ahead of the one that is being
  // decoded: so few of them need memory at a time, and the same few blocks go round.
  std::shared_ptr<Block> Take(size_t bytes);

  // A block that only counts: for batches whose rows own their bytes.
  std::shared_ptr<Block> Account(size_t bytes);

  // From now on the block is the user's: it counts as lent until the last reference to it goes.
  void Lend(Block& block);

  // Frees idle blocks, and keeps none from now on.
  void Drain();

  uint64_t lent_bytes() const;
  uint64_t idle_bytes() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

class BatchPool::Block {
 public:
  Block(std::shared_ptr<Core> core, size_t bytes) : core_(std::move(core)), bytes_(bytes) {}
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // nullptr when it only counts. The content is whatever it was. Throws kResourceExhausted when there is no memory,
  // kInvalidArgument when the allocator's is null or not aligned. Thread-safe.
  void* data();
  size_t bytes() const { return bytes_; }

 private:
  friend class BatchPool;
  friend struct BatchPool::Core;
  enum class Holds { kNothingYet, kMemory, kOnlyACount };

  std::shared_ptr<Core> core_;
  const size_t bytes_;
  std::mutex mutex_;  // guards the making of data_; before the pool's own
  std::shared_ptr<void> data_;
  Holds holds_ = Holds::kNothingYet;
  bool lent_ = false;
};

}  // namespace bucketline
