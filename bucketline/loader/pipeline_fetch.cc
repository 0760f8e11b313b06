// Pipeline: opening batches in plan order, and asking for the bytes of their rows.
#include <algorithm>
#include <deque>
#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/loader/pipeline.h"

namespace bucketline {
namespace {

// A tag: the batch's sequence number above, row * fields + field in these bits below.
constexpr int kRowBits = 32;

constexpr size_t kMostOpenRows = 2048;  // a second or two of the fastest decode

// Bounds the bookkeeping where batches are small; enough rows to keep every request busy.
size_t MostOpenBatches(const LoaderOptions& options) {
  return std::max<size_t>(64, std::max(kMostOpenRows, 4 * options.max_requests) / options.batch_size);
}

std::optional<FetchItem> PopFront(std::deque<FetchItem>& items) {
  if (items.empty()) return std::nullopt;
  FetchItem item = std::move(items.front());
  items.pop_front();
  return item;
}

}  // namespace

std::optional<FetchItem> Pipeline::NextItem(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!asking_whole_) {
      if (std::optional<FetchItem> item = PopFront(asking_)) return item;
    }
    while (asking_.empty() && next_row_ == row_count_) {
      if (!OpenNext(stop)) return std::nullopt;
    }
    while (AskNextRow() && neighbours_.Add(asking_)) {
    }
    if (std::optional<FetchItem> item = neighbours_.Take()) return item;
    asking_whole_ = false;
  }
  return std::nullopt;
}

// Whether asking_ has all parts of a row: the one it had, or the next one of this batch.
bool Pipeline::AskNextRow() {
  while (asking_.empty() && next_row_ < row_count_) asking_ = ItemsOf(*filling_, next_row_++);
  asking_whole_ = !asking_.empty();
  return asking_whole_;
}

// The parts of a row are asked for one after the other, so that of each budget only one row holds less than it
// needs: the last one that was begun. A row that needs none of them goes on at once.
std::deque<FetchItem> Pipeline::ItemsOf(OpenBatch& batch, uint32_t row) {
  OpenRow& open = batch.rows[row];
  const size_t fields = parts_.fields.size();
  std::deque<FetchItem> items;
  std::vector<KeptPixels> pixels;
  const Result<void> placed = Catch([&] {
    for (size_t i = 0; i < fields; ++i) {
      FetchItem item{.tag = batch.sequence << kRowBits | (row * fields + i),
                     .place = parts_.dataset.PlaceAt(open.record, parts_.fields[i].part)};
      if (parts_.pixels != nullptr) {
        pixels.push_back(parts_.pixels->Find(i, item.place, !open.from_bytes));
        if (pixels.back().found) continue;
        item.keep = pixels.back().cache == nullptr;
      }
      items.push_back(std::move(item));
    }
  });
  if (!placed) {
    FinishRow(batch, row, placed.error());
    return {};
  }
  std::unique_lock lock(mutex_);
  open.pixels = std::move(pixels);
  open.awaited = items.size();
  open.parts.resize(fields);
  if (items.empty()) OnRowFetched(std::move(lock), batch, row);
  return items;
}

bool Pipeline::OpenNext(std::stop_token stop) {
  std::optional<BatchPlan> plan = cursor_.Next();
  if (!plan) return false;
  auto batch = std::make_unique<OpenBatch>(opened_++, *std::move(plan), parts_.fields);
  const Result<uint64_t> bytes = Catch([&] { return SlotBytes(batch->plan); });
  if (!WaitForSlot(batch->plan.epoch, bytes ? *bytes : 0, batch->slot, std::move(stop))) return false;
  const Result<void> prepared = bytes ? Catch([&] { Prepare(*batch, *bytes); }) : Result<void>(bytes.error());

  {
    std::lock_guard lock(mutex_);
    filling_ = batch.get();
    next_row_ = 0;
    row_count_ = static_cast<uint32_t>(batch->rows.size());
    if (!prepared) {  // no row of it is asked for
      row_count_ = 0;
      batch->pending = 0;
      batch->error.emplace(0, prepared.error());
      front_finished_.notify_all();
    }
    open_.push_back(std::move(batch));
  }
  if (parks_rows()) GrantSlots();
  return true;
}

// 0 where the size comes with the first image.
uint64_t Pipeline::SlotBytes(const BatchPlan& plan) const {
  const MemoryNeeds& needs = parts_.needs;
  if (!AnyRaw(parts_.fields) || needs.any_record_in_any_row) return needs.batch_bytes;
  uint64_t bytes = needs.tensor_bytes;
  for (const RowPlan& row : plan.rows) bytes += parts_.dataset.RecordBytes(row.record);
  return bytes;
}

// Where nobody said how many epochs will come, one is read ahead: whoever stops after this one has not paid for many.
bool Pipeline::WaitForSlot(uint64_t epoch, uint64_t bytes, Lease& slot, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return slot_returned_.wait(lock, std::move(stop), [&] {
    return (parts_.options.epochs || epoch <= taken_epoch_ + 1) &&
           open_.size() < MostOpenBatches(parts_.options) && (parks_rows() || TrySlot(bytes, slot));
  });
}

bool Pipeline::TrySlot(uint64_t bytes, Lease& slot) {
  std::optional<Reservation> own = slots_.TryAcquire(bytes);
  if (!own) return false;
  std::optional<Reservation> common = parts_.common->TryAcquire(bytes);
  if (!common) return false;
  slot.own = *std::move(own);
  slot.common = *std::move(common);
  return true;
}

void Pipeline::Prepare(OpenBatch& batch, uint64_t bytes) {
  if (sizes_rows()) return;
  batch.sized = true;
  batch.layout = LayOutTensors(parts_.fields, {}, batch.rows.size());
  batch.slot_bytes = bytes;
  if (AnyRaw(parts_.fields)) batch.counted = parts_.pool->Account(bytes - parts_.needs.tensor_bytes);
  batch.granted = !parks_rows();
}

std::optional<FetchItem> Pipeline::NextReplacement(const std::stop_token& stop) {
  if (std::optional<FetchItem> item = PopFront(replacing_)) return item;
  std::unique_lock lock(mutex_);
  for (;;) {
    replacement_wanted_.wait(lock, stop, [&] { return ReplacementAllowedLocked(); });
    if (stop.stop_requested()) return std::nullopt;
    const auto [sequence, row] = *replacements_.begin();
    replacements_.erase(replacements_.begin());
    OpenBatch& batch = FindLocked(sequence);
    lock.unlock();
    replacing_ = ItemsOf(batch, row);
    if (std::optional<FetchItem> item = PopFront(replacing_)) return item;
    lock.lock();
  }
}

// Rows hold record bytes while they wait for their batch's slot. The one record that the replacement share is sure to
// hold must then be one that can go on at once: of a batch that has its slot, or is the oldest, and of the row that
// gives the size while there is none.
bool Pipeline::ReplacementAllowedLocked() {
  if (replacements_.empty()) return false;
  const auto [sequence, row] = *replacements_.begin();
  const OpenBatch& batch = FindLocked(sequence);
  if (batch.granted) return true;
  return sequence == front_ && (batch.sized || row == batch.size_row);
}

void Pipeline::OnFetched(uint64_t tag, Result<Fetched> result) {
  const uint64_t place = tag & ((uint64_t{1} << kRowBits) - 1);
  const auto row = static_cast<uint32_t>(place / parts_.fields.size());
  const size_t field = place % parts_.fields.size();
  if (result) {
    parts_.stats->CountFetch(result->bytes.size(), result->wall);
    if (result->cached) parts_.stats->CountCache(*result->cached, result->bytes.size(), result->wall);
    // Bytes that a batch delivers keep no neighbours' memory.
    if (!parts_.fields[field].decode && result->lease.shared != nullptr)
      result->bytes = Bytes::Copy(result->bytes.view());
  }
  std::unique_lock lock(mutex_);
  OpenBatch& batch = FindLocked(tag >> kRowBits);
  OpenRow& open = batch.rows[row];
  if (result) {
    open.parts[field] = *std::move(result);
  } else if (!open.fetch_error || field < open.fetch_error->first) {
    open.fetch_error.emplace(field, result.error());
  }
  if (--open.awaited == 0) OnRowFetched(std::move(lock), batch, row);
}

void Pipeline::OnRowFetched(std::unique_lock<std::mutex> lock, OpenBatch& batch, uint32_t row) {
  OpenRow& open = batch.rows[row];
  const bool no_slot_yet = !sizes_rows() && !batch.granted;     // of sized rows the decode threads ask
  if (no_slot_yet && !batch.dead && !open.fetch_error) return;  // parked
  const bool nobody_waits = no_slot_yet && batch.dead;
  std::vector<Fetched> parts = std::exchange(open.parts, {});
  std::optional<RowError> failed;
  if (open.fetch_error) failed = open.fetch_error->second;
  lock.unlock();

  if (!failed && !nobody_waits && parts_.works_on_rows()) {
    queue_.Push({.batch = &batch, .row = row, .parts = std::move(parts)});
    return;
  }
  if (!failed && !nobody_waits) {
    for (size_t i = 0; i < parts.size(); ++i) batch.tensors[i].raw[row] = parts[i].bytes;
  }
  parts.clear();  // bytes and leases, before anybody is told
  FinishRow(batch, row, std::move(failed));
}

}  // namespace bucketline
