// DecodeQueue: rows whose bytes have come, the ones needed first at the front.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "bucketline/dataset/fetcher.h"
#include "bucketline/loader/open_batch.h"

namespace bucketline {

struct DecodeJob {
  OpenBatch* batch = nullptr;  // stays until the row is finished
  uint32_t row = 0;
  std::vector<Fetched> parts;  // by field
};

// Thread-safe. Bounded by who pushes: each row of the open batches is in it once at most, with its lease.
class DecodeQueue {
 public:
  void Push(DecodeJob job) {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    const std::pair place(job.batch->sequence, job.row);
    jobs_.emplace(place, std::move(job));
    ready_.notify_one();
  }

  // Waits for a job; nullopt once closed.
  std::optional<DecodeJob> Pop() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return closed_ || !jobs_.empty(); });
    if (closed_) return std::nullopt;
    return std::move(jobs_.extract(jobs_.begin()).mapped());
  }

  // Wakes everybody and drops what is left.
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    jobs_.clear();
    ready_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::map<std::pair<uint64_t, uint32_t>, DecodeJob> jobs_;  // in plan order
  bool closed_ = false;
};

}  // namespace bucketline
