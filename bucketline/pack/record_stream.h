// RecordStream: the records of one shard, read ahead in bounded memory, made smaller where that is asked for, in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "bucketline/base/bytes.h"
#include "bucketline/dataset/fetcher.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/pack/pack_samples.h"
#include "bucketline/pack/recompress.h"

namespace bucketline {

// What a stream may take, and what the streams of a pack share.
struct StreamResources {
  uint64_t record_bytes = 0;  // that are read, of its own; at least the largest record
  uint64_t result_bytes =
      0;  // of smaller images, with `resize`; at least LargestResult of the largest record
  MemoryBudget* requests = nullptr;  // reads in flight; shared
  MemoryBudget* pixels = nullptr;    // bytes, with `resize`; shared
  ThreadPool* pool = nullptr;        // with `resize`; shared
  std::optional<RecompressRule> resize = {};
};

// What a smaller image may take, by what the image took: its result is that at most.
uint64_t LargestResult(uint64_t length);

// One part of a record.
struct PackedPart {
  Bytes bytes;  // valid as long as the reservations
  Lease lease;
  Reservation result;
};

struct PackedRecord {
  uint64_t position = 0;
  std::vector<PackedPart> parts;
  std::optional<Error> bad;  // a fault of the record's bytes, naming it
};

// For one thread. What Next gave must not outlive it.
class RecordStream {
 public:
  // The records of [first, last). `samples` and the resources outlive it.
  RecordStream(const PackSamples& samples, uint64_t first, uint64_t last, const StreamResources& resources,
               std::stop_token stop);
  ~RecordStream();  // stops what runs, and waits for it
  RecordStream(const RecordStream&) = delete;
  RecordStream& operator=(const RecordStream&) = delete;

  // nullopt after the last one. Throws what the store says, naming the object; kResourceExhausted for an image that needs
  // more memory than there is; kCancelled when stopped.
  std::optional<PackedRecord> Next();

 private:
  struct Arrival {
    PackedPart part;
    std::optional<Error> error;
    bool bad = false;  // the error is a fault of the bytes
  };

  std::optional<FetchItem> NextItem(std::stop_token stop);
  void Deliver(uint64_t tag, Result<Fetched> result);
  void Resize(uint64_t tag, Arrival arrival);
  void Put(uint64_t tag, Arrival arrival);
  Arrival Take(uint64_t tag);
  std::string UriOf(uint64_t tag) const;

  const PackSamples& samples_;
  const uint64_t last_;
  const size_t parts_;
  const StreamResources resources_;
  const std::stop_token stop_;
  // Taken in the order of need, `result_budget_` first: the record that is waited for has what it needs before those behind
  // it.
  MemoryBudget result_budget_;
  MemoryBudget record_budget_;
  uint64_t next_tag_ = 0;  // of the fetcher's thread: position * parts + part
  std::mutex mutex_;       // guards what follows
  std::condition_variable_any changed_;
  uint64_t head_;                                      // position that Next gives next
  std::unordered_map<uint64_t, Reservation> results_;  // of what is on its way
  std::unordered_map<uint64_t, Arrival> arrived_;      // by tag
  size_t resizing_ = 0;
  std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace bucketline
