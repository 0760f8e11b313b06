// Pipeline: opening batches in plan order, and asking for the bytes of their rows.
#include <algorithm>
#include <utility>

#include "bucketline/base/error.h"
#include "bucketline/loader/pipeline.h"

namespace bucketline {
namespace {

constexpr int kRowBits = 32;  // of a tag; the rest is the batch's sequence number

// Bounds the bookkeeping where batches are small; enough rows to keep every request busy.
size_t MostOpenBatches(const LoaderOptions& options) {
  return std::max<size_t>(64, 4 * options.max_requests / options.batch_size);
}

}  // namespace

std::optional<FetchItem> Pipeline::NextItem(std::stop_token stop) {
  for (;;) {
    while (next_row_ == row_count_) {
      if (!OpenNext(stop)) return std::nullopt;
    }
    if (std::optional<FetchItem> item = ItemOf(*filling_, next_row_++)) return item;
  }
}

std::optional<FetchItem> Pipeline::ItemOf(OpenBatch& batch, uint32_t row) {
  Result<PartPlace> place = Catch([&] { return parts_.dataset.PlaceAt(batch.rows[row].record); });
  if (place) return FetchItem{.tag = batch.sequence << kRowBits | row, .place = *std::move(place)};
  FinishRow(batch, row, place.error());
  return std::nullopt;
}

bool Pipeline::OpenNext(std::stop_token stop) {
  std::optional<BatchPlan> plan = cursor_.Next();
  if (!plan) return false;
  auto batch = std::make_unique<OpenBatch>(opened_++, *std::move(plan));
  const Result<uint64_t> bytes = Catch([&] { return SlotBytes(batch->plan); });
  if (!WaitForSlot(bytes ? *bytes : 0, batch->slot, std::move(stop))) return false;
  const Result<void> prepared = bytes ? Catch([&] { Prepare(*batch, *bytes); }) : Result<void>(bytes.error());

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
  return true;
}

// 0 where the size comes with the first image.
uint64_t Pipeline::SlotBytes(const BatchPlan& plan) const {
  if (parts_.options.decode) return parts_.needs.batch_bytes;
  uint64_t bytes = 0;
  for (const RowPlan& row : plan.rows) bytes += parts_.dataset.RecordBytes(row.record);
  return bytes;
}

bool Pipeline::WaitForSlot(uint64_t bytes, Lease& slot, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  return slot_returned_.wait(lock, std::move(stop), [&] {
    return open_.size() < MostOpenBatches(parts_.options) && (sizes_rows() || TrySlot(bytes, slot));
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
  batch.granted = true;
  if (!parts_.options.decode) {
    batch.raw.resize(batch.rows.size());
    batch.block = parts_.pool->Account(bytes);
    return;
  }
  batch.sized = true;
  batch.height = parts_.options.image.height;
  batch.width = parts_.options.image.width;
  batch.row_bytes = parts_.options.image.RowBytes();
  batch.block = parts_.pool->Take(bytes);
}

std::optional<FetchItem> Pipeline::NextReplacement(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    replacement_wanted_.wait(lock, stop, [&] { return ReplacementAllowedLocked(); });
    if (stop.stop_requested()) return std::nullopt;
    const auto [sequence, row] = *replacements_.begin();
    replacements_.erase(replacements_.begin());
    OpenBatch& batch = FindLocked(sequence);
    lock.unlock();
    if (std::optional<FetchItem> item = ItemOf(batch, row)) return item;
    lock.lock();
  }
}

// Where rows wait for their batch's size, they hold record bytes while they wait. The one record that the
// replacement share holds must then be one that can go on at once: of the oldest batch, and of the row that
// gives the size while there is none.
bool Pipeline::ReplacementAllowedLocked() {
  if (replacements_.empty()) return false;
  if (!sizes_rows()) return true;
  const auto [sequence, row] = *replacements_.begin();
  if (sequence != front_) return false;
  const OpenBatch& batch = FindLocked(sequence);
  return batch.sized || row == batch.size_row;
}

void Pipeline::OnFetched(uint64_t tag, Result<Fetched> result) {
  const auto row = static_cast<uint32_t>(tag);
  OpenBatch* batch = nullptr;
  {
    std::lock_guard lock(mutex_);
    batch = &FindLocked(tag >> kRowBits);
  }
  if (!result) {
    FinishRow(*batch, row, result.error());
    return;
  }
  parts_.stats->CountFetch(result->bytes.size(), result->wall);
  if (parts_.options.decode) {
    queue_.Push({.batch = batch, .row = row, .fetched = *std::move(result)});
    return;
  }
  batch->raw[row] = result->bytes;
  result->lease.Release();
  FinishRow(*batch, row);
}

}  // namespace bucketline
