#include "bucketline/loader/batch_pool.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"

namespace bucketline {
namespace {

std::shared_ptr<void> AllocateAligned(size_t bytes) {
  const size_t rounded =
      (std::max<size_t>(bytes, 1) + kBatchAlignment - 1) / kBatchAlignment * kBatchAlignment;
  void* data = std::aligned_alloc(kBatchAlignment, rounded);
  if (data == nullptr) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("the system has no {} for a batch; lower the loader's memory", FormatByteSize(bytes)));
  }
  return {data, [](void* memory) { std::free(memory); }};
}

void CheckAllocation(const std::shared_ptr<void>& data, size_t bytes) {
  if (data == nullptr) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("LoaderOptions::allocator gave no memory for {} bytes", bytes));
  }
  if (reinterpret_cast<uintptr_t>(data.get()) % kBatchAlignment != 0) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("LoaderOptions::allocator gave memory that is not aligned to {} bytes", kBatchAlignment));
  }
}

}  // namespace

// Lives as long as the pool or any block.
struct BatchPool::Core {
  struct Idle {
    std::shared_ptr<void> data;
    size_t bytes;
  };

  Core(uint64_t the_share, Allocator the_allocator) : share(the_share), allocator(std::move(the_allocator)) {}

  std::shared_ptr<void> TakeIdle(size_t bytes) {
    std::vector<Idle> evicted;  // freed after the lock is gone
    std::lock_guard lock(mutex);
    making += bytes;
    const auto same =
        std::find_if(idle.begin(), idle.end(), [&](const Idle& block) { return block.bytes == bytes; });
    if (same != idle.end()) {
      std::shared_ptr<void> data = std::move(same->data);
      idle_bytes -= bytes;
      idle.erase(same);
      return data;
    }
    while (!idle.empty() && making + idle_bytes > share) {
      idle_bytes -= idle.back().bytes;
      evicted.push_back(std::move(idle.back()));
      idle.pop_back();
    }
    return nullptr;
  }

  void Return(Block& block) {
    std::lock_guard lock(mutex);
    (block.lent_ ? lent : making) -= block.bytes_;
    if (closed || !block.recyclable_ || making + idle_bytes + block.bytes_ > share)
      return;  // the block frees it
    idle_bytes += block.bytes_;
    idle.push_back({std::move(block.data_), block.bytes_});
  }

  const uint64_t share;
  const Allocator allocator;
  std::mutex mutex;
  std::vector<Idle> idle;
  uint64_t idle_bytes = 0;
  uint64_t making = 0;
  uint64_t lent = 0;
  bool closed = false;
};

BatchPool::Block::~Block() { core_->Return(*this); }

BatchPool::BatchPool(uint64_t share, Allocator allocator)
    : core_(std::make_shared<Core>(share, std::move(allocator))) {}

BatchPool::~BatchPool() { Drain(); }

void BatchPool::Drain() {
  std::vector<Core::Idle> freed;
  std::lock_guard lock(core_->mutex);
  core_->closed = true;
  core_->idle_bytes = 0;
  freed.swap(core_->idle);
}

std::shared_ptr<BatchPool::Block> BatchPool::Take(size_t bytes) {
  auto block = std::make_shared<Block>(core_, bytes);
  block->data_ = core_->TakeIdle(bytes);
  block->recyclable_ = !core_->allocator;
  if (block->data_ != nullptr) return block;
  if (core_->allocator) {
    std::shared_ptr<void> data = core_->allocator(bytes);
    CheckAllocation(data, bytes);
    block->data_ = std::move(data);
  } else {
    block->recyclable_ = false;  // until there is something to keep
    block->data_ = AllocateAligned(bytes);
    block->recyclable_ = true;
  }
  return block;
}

std::shared_ptr<BatchPool::Block> BatchPool::Account(size_t bytes) {
  auto block = std::make_shared<Block>(core_, bytes);
  std::lock_guard lock(core_->mutex);
  core_->making += bytes;
  return block;
}

void BatchPool::Lend(Block& block) {
  std::lock_guard lock(core_->mutex);
  core_->making -= block.bytes_;
  core_->lent += block.bytes_;
  block.lent_ = true;
}

uint64_t BatchPool::lent_bytes() const {
  std::lock_guard lock(core_->mutex);
  return core_->lent;
}

uint64_t BatchPool::idle_bytes() const {
  std::lock_guard lock(core_->mutex);
  return core_->idle_bytes;
}

}  // namespace bucketline
