// For tests of the Fetcher: its records, and what it delivers.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/dataset/fetcher.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/memory_store.h"
#include "bucketline/store/store_testing.h"

namespace bucketline::testing {

inline constexpr std::chrono::seconds kFetchDeadline{30};

// Collects what is delivered; a test waits for it with a deadline.
class Deliveries {
 public:
  Fetcher::Deliver Callback() {
    return [this](uint64_t tag, Result<Fetched> result) {
      std::lock_guard lock(mutex_);
      ++calls_[tag];
      results_.insert_or_assign(tag, std::move(result));
      changed_.notify_all();
    };
  }
  bool WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kFetchDeadline, [&] { return results_.size() >= count; });
  }
  bool WaitForTag(uint64_t tag) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kFetchDeadline, [&] { return results_.contains(tag); });
  }
  size_t count() {
    std::lock_guard lock(mutex_);
    return results_.size();
  }
  bool EachOnce() {
    std::lock_guard lock(mutex_);
    return std::all_of(calls_.begin(), calls_.end(), [](const auto& call) { return call.second == 1; });
  }
  Result<Fetched> Take(uint64_t tag) {
    std::lock_guard lock(mutex_);
    Result<Fetched> result = std::move(results_.at(tag));
    results_.insert_or_assign(tag, Error(ErrorCode::kInternal, "taken"));
    return result;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Result<Fetched>> results_;
  std::map<uint64_t, int> calls_;
};

class FetcherTest : public ::testing::Test {
 protected:
  // Objects "0", "1", ... of these sizes.
  void PutObjects(const std::vector<size_t>& sizes) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      const std::vector<uint8_t> bytes = RampBytes(sizes[i], i);
      const ObjectInfo info = PutBytes(*memory_, std::to_string(i), bytes);
      parts_.push_back({.object_key = std::to_string(i),
                        .offset = 0,
                        .length = sizes[i],
                        .object_size = sizes[i],
                        .etag = info.etag});
    }
  }

  // Each part once, its number as tag; then the end.
  Fetcher::Next InOrder(std::shared_ptr<ObjectStore> store, PinMode pin) {
    return [this, store, pin](std::stop_token) -> std::optional<FetchItem> {
      const size_t i = next_++;
      if (i >= parts_.size()) return std::nullopt;
      return FetchItem{.tag = i, .place = {.store = store, .pin = pin, .part = parts_[i]}};
    };
  }

  std::unique_ptr<Fetcher> Start(std::shared_ptr<ObjectStore> store, MemoryBudget& budget,
                                 PinMode pin = PinMode::kEtag, MemoryBudget* common = nullptr) {
    return std::make_unique<Fetcher>(
        FetcherOptions{.budget = &budget, .common = common, .requests = &requests_},
        InOrder(std::move(store), pin), deliveries_.Callback());
  }

  // Lives longer than what was delivered.
  MemoryBudget& Budget(uint64_t capacity) { return budgets_.emplace_back(capacity); }

  std::list<MemoryBudget> budgets_;
  std::shared_ptr<ObjectStore> memory_ = MakeMemoryStore("data");
  std::vector<RecordPart> parts_;
  std::atomic<size_t> next_ = 0;
  MemoryBudget requests_{4};
  MemoryBudget large_{1 << 20};
  Deliveries deliveries_;
};

}  // namespace bucketline::testing
