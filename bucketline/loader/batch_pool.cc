#include "bucketline/loader/batch_pool.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/exec/huge_memory.h"

namespace bucketline {
namespace {

Error NoMemory(size_t bytes) {
  return Error(
      ErrorCode::kResourceExhausted,
      fmt::format("the system has no {} for a batch; lower the loader's memory", FormatByteSize(bytes)));
}

std::shared_ptr<void> AllocateAligned(size_t bytes) {
  if (bytes >= kHugePage) {
    std::shared_ptr<void> data = MapHuge(bytes);
    if (data == nullptr) throw NoMemory(bytes);
    return data;
  }
  const size_t whole = (std::max<size_t>(bytes, 1) + kBatchAlignment - 1) / kBatchAlignment * kBatchAlignment;
  void* data = std::aligned_alloc(kBatchAlignment, whole);
  if (data == nullptr) throw NoMemory(bytes);
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

  // Counts `bytes` as in the making. The block used last comes first: its pages are warm.
  std::shared_ptr<void> TakeIdle(size_t bytes) {
    std::vector<Idle> evicted;  // freed after the lock is gone
    std::lock_guard lock(mutex);
    making += bytes;
    const auto same =
        std::find_if(idle.rbegin(), idle.rend(), [&](const Idle& block) { return block.bytes == bytes; });
    if (same != idle.rend()) {
      std::shared_ptr<void> data = std::move(same->data);
      idle_bytes -= bytes;
      idle.erase(std::next(same).base());
      return data;
    }
    while (!idle.empty() && making + idle_bytes > share) {
      idle_bytes -= idle.back().bytes;
      evicted.push_back(std::move(idle.back()));
      idle.pop_back();
    }
    return nullptr;
  }

  void GiveUp(size_t bytes) {
    std::lock_guard lock(mutex);
    making -= bytes;
  }

  void Return(Block& block) {
    if (block.holds_ == Block::Holds::kNothingYet) return;
    std::lock_guard lock(mutex);
    (block.lent_ ? lent : making) -= block.bytes_;
    const bool recyclable = block.data_ != nullptr && !allocator;
    if (closed || !recyclable || making + idle_bytes + block.bytes_ > share) return;  // the block frees it
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
  return std::make_shared<Block>(core_, bytes);
}

void* BatchPool::Block::data() {
  std::lock_guard lock(mutex_);
  if (holds_ != Holds::kNothingYet) return data_.get();
  std::shared_ptr<void> data = core_->TakeIdle(bytes_);
  if (data == nullptr) {
    try {
      data = core_->allocator ? core_->allocator(bytes_) : AllocateAligned(bytes_);
      if (core_->allocator) CheckAllocation(data, bytes_);
    } catch (...) {
      core_->GiveUp(bytes_);
      throw;
    }
  }
  data_ = std::move(data);
  holds_ = Holds::kMemory;
  return data_.get();
}

std::shared_ptr<BatchPool::Block> BatchPool::Account(size_t bytes) {
  auto block = std::make_shared<Block>(core_, bytes);
  block->holds_ = Block::Holds::kOnlyACount;
  std::lock_guard lock(core_->mutex);
  core_->making += bytes;
  return block;
}

void BatchPool::Lend(Block& block) {
  if (block.holds_ == Block::Holds::kNothingYet) return;
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
