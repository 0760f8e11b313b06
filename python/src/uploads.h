// Uploads: objects that are written behind the caller's back, many at a time, in bounded memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "src/place.h"

#include "bucketline/base/clock.h"
#include "bucketline/base/error.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline::python {

// Touches no Python. Thread-safe. Destroying it gives up what was not written yet.
class Uploads {
 public:
  using Failures = std::vector<std::pair<std::string, Error>>;  // by key

  // `memory`: bytes that the objects on their way may take.
  Uploads(std::shared_ptr<ObjectStore> store, uint64_t memory, size_t parallel)
      : store_(std::move(store)), budget_(memory), pool_(parallel, "bl-put") {}
  ~Uploads() { GiveUp(); }

  // What an object of this size takes: its bytes, and what its writer holds of them.
  static uint64_t Cost(uint64_t size);

  // Waits for room, copies `data` and returns. False when stop was requested first. Throws kResourceExhausted for an
  // object that could never fit.
  bool Put(const std::string& key, std::span<const uint8_t> data, WriteCondition condition,
           std::stop_token stop);

  // Waits until all that was put is written or has failed; false when `longest` passed, or stop was requested, first.
  bool Flush(Duration longest, const std::stop_token& stop);

  // Ends what runs, with kCancelled, and the threads.
  void GiveUp();

  Failures TakeFailures();
  uint64_t written() const;
  uint64_t peak() const { return budget_.peak(); }

 private:
  void Run(const std::string& key, std::span<const uint8_t> data, WriteCondition condition);

  const std::shared_ptr<ObjectStore> store_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  std::condition_variable_any idle_;
  uint64_t under_way_ = 0;
  uint64_t written_ = 0;
  Failures failures_;
  MemoryBudget budget_;
  ThreadPool pool_;  // declared last: its threads end before the rest goes
};

}  // namespace bucketline::python
