// StatsCollector: what a loader counts while it works.
#pragma once

#include <atomic>

#include <time.h>

#include "bucketline/base/clock.h"
#include "bucketline/base/metrics.h"
#include "bucketline/loader/loader.h"

namespace bucketline {

// Processor time that the calling thread has used.
inline Duration ThreadCpuTime() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// Thread-safe. Counts of samples and batches are of delivered ones, hence the same in every run.
class StatsCollector {
 public:
  void CountFetch(uint64_t bytes, Duration wall) {
    fetch_.count.Add();
    fetch_.wall.Add(Nanoseconds(wall));
    record_bytes_.Add(bytes);
  }
  void CountDecode(Duration wall, Duration cpu) {
    decode_.count.Add();
    decode_.wall.Add(Nanoseconds(wall));
    decode_.cpu.Add(Nanoseconds(cpu));
  }
  void CountTransform(Duration wall, Duration cpu) {
    transform_.count.Add();
    transform_.wall.Add(Nanoseconds(wall));
    transform_.cpu.Add(Nanoseconds(cpu));
  }
  void CountCache(bool hit, uint64_t bytes, Duration wall) {
    cache_.Count(hit, bytes, hit ? wall : Duration(0));
  }
  // `wall`: of reading them, or of keeping them.
  void CountPixels(bool hit, uint64_t bytes, Duration wall) { pixels_.Count(hit, bytes, wall); }
  void CountBatch(uint64_t images, uint64_t skipped, uint64_t masked) {
    batches_.Add();
    images_.Add(images);
    skipped_.Add(skipped);
    masked_.Add(masked);
  }
  // The consumer was inside Next from `start` to `end`. One caller at a time.
  void CountWait(SteadyTime start, SteadyTime end) {
    wait_.Add(Nanoseconds(end - start));
    SteadyTime first = SteadyTime::min();
    first_asked_.compare_exchange_strong(first, start, std::memory_order_relaxed);
    last_given_.store(end, std::memory_order_relaxed);
  }

  // All but what the budget and the pool know.
  LoaderStats Read() const {
    LoaderStats stats;
    stats.batches = batches_.value();
    stats.images = images_.value();
    stats.record_bytes = record_bytes_.value();
    stats.skipped = skipped_.value();
    stats.masked = masked_.value();
    stats.wait = Duration(wait_.value());
    stats.fetch = fetch_.Read();
    stats.decode = decode_.Read();
    stats.transform = transform_.Read();
    stats.cache = cache_.Read();
    stats.pixels = pixels_.Read();
    const SteadyTime first = first_asked_.load(std::memory_order_relaxed);
    if (first != SteadyTime::min()) stats.span = last_given_.load(std::memory_order_relaxed) - first;
    return stats;
  }

 private:
  struct Stage {
    Counter count;
    Counter wall;
    Counter cpu;
    StageStats Read() const { return {count.value(), Duration(wall.value()), Duration(cpu.value())}; }
  };
  struct Cache {
    Counter hits, hit_bytes, misses, miss_bytes, wall;
    void Count(bool hit, uint64_t count, Duration took) {
      (hit ? hits : misses).Add();
      (hit ? hit_bytes : miss_bytes).Add(count);
      wall.Add(Nanoseconds(took));
    }
    CacheUse Read() const {
      return {hits.value(), hit_bytes.value(), misses.value(), miss_bytes.value(), Duration(wall.value())};
    }
  };
  static uint64_t Nanoseconds(Duration duration) { return static_cast<uint64_t>(duration.count()); }

  Counter batches_, images_, record_bytes_, skipped_, masked_, wait_;
  Stage fetch_, decode_, transform_;
  Cache cache_, pixels_;
  std::atomic<SteadyTime> first_asked_ = SteadyTime::min(), last_given_ = SteadyTime::min();
};

// Adds the time it lives to what the consumer has waited.
class WaitCounter {
 public:
  explicit WaitCounter(StatsCollector& stats) : stats_(stats) {}
  ~WaitCounter() { stats_.CountWait(start_, Clock::Real().Now()); }
  WaitCounter(const WaitCounter&) = delete;
  WaitCounter& operator=(const WaitCounter&) = delete;

 private:
  StatsCollector& stats_;
  const SteadyTime start_ = Clock::Real().Now();
};

}  // namespace bucketline
