// Pipeline: the threads between the store and Next: fetch, decode, assemble, in plan order, from one place
// on.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bucketline/dataset/fetcher.h"
#include "bucketline/exec/memory_budget.h"
#include "bucketline/loader/decode_queue.h"
#include "bucketline/loader/neighbours.h"
#include "bucketline/loader/open_batch.h"
#include "bucketline/loader/pipeline_parts.h"
#include "bucketline/loader/row_maker.h"
#include "bucketline/loader/stall_watch.h"

namespace bucketline {

// The order of waits, which has no circle, stands with MemoryLayout. Locks: mutex_, then those of queue,
// budgets and pool. User callbacks (allocator, transform, on_bad_sample) and decodes run under no lock.
class Pipeline {
 public:
  // Starts at once with the batch at `start` of `epoch`.
  Pipeline(PipelineParts parts, uint64_t epoch, uint64_t start);
  ~Pipeline();  // Stop()
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // The next batch in order, across epochs; nullopt once stopped. Throws its error, the same at each further
  // call. One caller at a time.
  std::optional<Batch> Take();

  // Waits until Take would answer at once, at most `longest`: false when it would still wait. Same caller.
  bool WaitFor(Duration longest);

  // Ends the threads and frees what was not taken. Idempotent, thread-safe.
  void Stop();

 private:
  // Opening batches and asking for bytes (pipeline_fetch.cc). On fetch threads and, OnFetched, on the
  // store's.
  std::optional<FetchItem> NextItem(const std::stop_token& stop);
  bool AskNextRow();
  std::optional<FetchItem> NextReplacement(const std::stop_token& stop);
  bool ReplacementAllowedLocked();
  std::deque<FetchItem> ItemsOf(OpenBatch& batch, uint32_t row);
  bool OpenNext(std::stop_token stop);
  bool WaitForSlot(uint64_t epoch, uint64_t bytes, Lease& slot, std::stop_token stop);
  bool TrySlot(uint64_t bytes, Lease& slot);
  uint64_t SlotBytes(const BatchPlan& plan) const;
  void Prepare(OpenBatch& batch, uint64_t bytes);
  void OnFetched(uint64_t tag, Result<Fetched> result);
  void OnRowFetched(std::unique_lock<std::mutex> lock, OpenBatch& batch, uint32_t row);

  // What becomes of a row (pipeline_rows.cc). On decode threads.
  void RunWorker();
  void Process(DecodeJob job, RowMaker& maker);
  void MakeRow(DecodeJob job, std::vector<ImageInfo> infos, RowMaker& maker);
  void HandleBad(OpenBatch& batch, uint32_t row, const FieldFault& fault);
  void Mask(OpenBatch& batch, uint32_t row);
  void Replace(OpenBatch& batch, uint32_t row);
  void AskAgain(OpenBatch& batch, uint32_t row);
  void FinishGood(OpenBatch& batch, uint32_t row);
  std::optional<Error> Report(const OpenBatch& batch, uint32_t row) const;
  std::pair<std::string, std::string> Describe(uint64_t record, const FieldFault& fault) const;
  std::string UriOf(uint64_t record, size_t part = 0) const;  // of the object that the part is in
  void FinishRow(OpenBatch& batch, uint32_t row, std::optional<RowError> error = std::nullopt);

  // Slots, and rows as large as the first image of their batch (pipeline_slots.cc).
  bool sizes_rows() const { return parts_.needs.rows == MemoryNeeds::Rows::kSized; }
  // Rows whose bytes have come wait for their batch's slot. Else the slot comes before the bytes.
  bool parks_rows() const { return parts_.needs.rows != MemoryNeeds::Rows::kRaw; }
  bool ReadyToDecode(DecodeJob& job, std::span<const ImageInfo> infos);
  Error SizeMismatch(const OpenBatch& batch, uint32_t row, const TensorLayout& layout) const;
  void UnparkLocked(OpenBatch& batch, uint32_t row);
  void MoveSizeRowLocked(OpenBatch& batch);
  void KillLocked(OpenBatch& batch, RowError error);
  void GrantSlots();
  OpenBatch* NextGrantLocked();
  void Grant(OpenBatch& batch);

  void StartWorkers();

  // Delivery (pipeline.cc).
  OpenBatch& FindLocked(uint64_t sequence) { return *open_[sequence - front_]; }
  bool WaitForFront(std::unique_lock<std::mutex>& lock, SteadyTime until);
  void WarnOfStall(std::unique_lock<std::mutex>& lock, Duration waited);
  void CheckFrontLocked();
  [[noreturn]] void ThrowMixed(const OpenBatch& batch, uint32_t row, std::string_view did,
                               std::string_view others) const;
  uint64_t CountSkipsLocked(const OpenBatch& batch) const;

  const PipelineParts parts_;
  MemoryBudget slots_;  // the shares of the layout
  MemoryBudget fetch_;
  MemoryBudget replacement_;
  MemoryBudget scratch_;
  MemoryBudget requests_;  // Gets in flight
  std::stop_source stop_;

  PlanCursor cursor_;    // of the fetch thread
  uint64_t opened_ = 0;  // of the fetch thread: batches so far
  OpenBatch* filling_ =
      nullptr;  // of the fetch thread: whose rows are being asked for; valid while rows are left
  std::deque<FetchItem> asking_;     // of the fetch thread: the parts of one row
  bool asking_whole_ = false;        // of the fetch thread: all of them
  Neighbours neighbours_;            // of the fetch thread
  std::deque<FetchItem> replacing_;  // the same of the replacement thread
  uint32_t next_row_ = 0;            // of the fetch thread
  uint32_t row_count_ = 0;           // of the fetch thread

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable front_finished_;
  std::condition_variable_any slot_returned_;
  std::condition_variable_any replacement_wanted_;
  bool stopped_ = false;
  std::deque<std::unique_ptr<OpenBatch>> open_;  // in plan order; the first has sequence number front_
  uint64_t front_ = 0;
  StallWatch stall_;    // of the consumer, for the front
  uint64_t grant_ = 0;  // sized rows: the batch whose turn it is to get a slot
  // Rows that want another record, or the bytes of theirs after all, in plan order.
  std::set<std::pair<uint64_t, uint32_t>> replacements_;
  uint64_t taken_epoch_;                          // of the latest batch that was delivered
  uint64_t skip_count_ = 0;                       // bad samples of its epoch so far
  OpenRow::Made made_ = OpenRow::Made::kNothing;  // what the rows of this run are, from the first one on

  DecodeQueue queue_;
  std::mutex join_mutex_;
  std::vector<std::thread> workers_;
  std::unique_ptr<Fetcher> replacement_fetcher_;
  std::unique_ptr<Fetcher> fetcher_;
};

}  // namespace bucketline
