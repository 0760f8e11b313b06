// StreamPipeline: the threads between a FIFO and Next for one epoch: one reads samples in order, others decode them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "bucketline/dataset/pipe_source.h"
#include "bucketline/dataset/stream.h"
#include "bucketline/dataset/stream_labels.h"
#include "bucketline/exec/buffer_pool.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/loader/batch_pool.h"
#include "bucketline/loader/decode_queue.h"
#include "bucketline/loader/memory_layout.h"
#include "bucketline/loader/row_maker.h"
#include "bucketline/loader/stall_watch.h"
#include "bucketline/loader/stream_batch.h"

namespace bucketline {

// What a StreamPipeline works with. What it points to outlives it.
struct StreamParts {
  const Stream* stream = nullptr;
  const LoaderOptions* options = nullptr;  // with `threads` and `last` set
  std::span<const Field> fields;
  const MemoryNeeds* needs = nullptr;
  MemoryLayout layout;
  MemoryBudget* common = nullptr;  // counts every byte of all shares
  BatchPool* pool = nullptr;
  StatsCollector* stats = nullptr;
  StreamLabels* labels = nullptr;  // used by one pipeline at a time
  uint64_t epoch = 0;
  uint64_t start = 0;  // so many samples are read and discarded first
};

// Why it cannot deadlock: a batch has its slot before its samples are read, and samples are read in order. The reader
// waits for bytes that only decodes hold, which end, and earlier batches that are bytes, which the consumer takes; what
// the batch being read holds itself must leave room for its next record, or that is an error. Locks: mutex_, then those
// of queue, budgets and pool. User callbacks (allocator, on_bad_sample) and decodes run under no lock.
class StreamPipeline {
 public:
  // Starts at once: opens the FIFO of the epoch.
  explicit StreamPipeline(const StreamParts& parts);
  ~StreamPipeline();  // Stop()
  StreamPipeline(const StreamPipeline&) = delete;
  StreamPipeline& operator=(const StreamPipeline&) = delete;

  // The next batch in order; nullopt at the end of the epoch, and once stopped. Throws its error, or that of the stream,
  // the same at each further call. One caller at a time.
  std::optional<Batch> Take();

  // Waits until Take would answer at once, at most `longest`: false when it would still wait. Same caller.
  bool WaitFor(Duration longest);

  // Ends the threads, lets go of the FIFO and frees what was not taken. Idempotent, thread-safe.
  void Stop();

 private:
  struct Sample {
    std::vector<Fetched> parts;  // by field
    StreamLabel label;
    uint64_t bytes = 0;  // of the parts so far
  };

  // Reading samples (stream_reading.cc). On the reading thread.
  void RunReader();
  void Discard(PipeSource& source);
  bool ReadBatch(PipeSource& source);
  std::unique_ptr<StreamBatch> OpenBatchAt(uint64_t position);
  void GiveSlot(OpenBatch& open, TensorLayout layout);
  std::optional<Sample> ReadSample(PipeSource& source, StreamBatch& batch);
  bool ReadAttribute(PipeSource& source, StreamBatch& batch, size_t place, Sample& sample);
  std::optional<Fetched> ReadPart(PipeSource& source, const StreamBatch& batch, uint64_t of_sample);
  std::optional<StreamLabel> ReadLabel(PipeSource& source, uint64_t sample);
  void Hand(StreamBatch& batch, uint32_t row, Sample sample);
  bool SizeBatch(StreamBatch& batch, uint32_t row, const std::vector<Fetched>& parts);
  void EndWithin(StreamBatch& batch, uint32_t rows);
  void Fail(const Error& error);

  // What becomes of a row (stream_rows.cc). On decode threads; what is bad already, on the reading thread too.
  void RunWorker();
  void Process(DecodeJob job, RowMaker& maker);
  void MakeRow(StreamBatch& batch, DecodeJob job, std::vector<ImageInfo> infos, RowMaker& maker);
  void HandleBad(StreamBatch& batch, uint32_t row, const FieldFault& fault, std::span<const Fetched> parts);
  std::optional<Error> Report(const StreamBatch& batch, uint32_t row) const;
  void FinishRow(StreamBatch& batch, uint32_t row, std::optional<Error> error = std::nullopt);
  std::string UriOf(uint64_t sample) const;

  // Delivery (stream_pipeline.cc).
  bool sizes_rows() const { return parts_.needs->rows == MemoryNeeds::Rows::kSized; }
  bool WaitForFront(std::unique_lock<std::mutex>& lock, SteadyTime until);
  void WarnOfStall(std::unique_lock<std::mutex>& lock, Duration waited) const;
  uint64_t CountBadLocked(const StreamBatch& batch);
  void CheckBadAtEndLocked() const;
  Batch Deliver(StreamBatch& batch, uint64_t bad);

  const StreamParts parts_;
  MemoryBudget slots_;  // the shares of the layout
  MemoryBudget fetch_;
  MemoryBudget scratch_;
  const std::shared_ptr<BufferPool> buffers_;
  const bool works_on_rows_;
  std::stop_source stop_;
  uint64_t opened_ = 0;       // of the reading thread: batches so far
  uint64_t next_;             // of the reading thread: the number of the next batch's first sample
  Duration counted_wait_{0};  // of the reading thread

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::condition_variable_any taken_;
  bool stopped_ = false;
  bool ended_ = false;                             // the stream is over; what is open is all there is
  std::optional<Error> failure_;                   // of the stream, after what is open
  uint64_t fifo_ = 0;                              // its number, once open
  std::deque<std::unique_ptr<StreamBatch>> open_;  // in order
  StallWatch stall_;                               // of the consumer
  uint64_t samples_;                               // delivered or left out, those discarded before included
  uint64_t bad_ = 0;                               // of them
  std::optional<BadSample> last_bad_;

  DecodeQueue queue_;
  std::mutex join_mutex_;
  std::vector<std::thread> threads_;
};

}  // namespace bucketline
