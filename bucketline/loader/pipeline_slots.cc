// Pipeline: slots of batches, in plan order; rows whose bytes come before their batch's slot are parked with them. Where
// rows are as large as the first image of their batch, the slot is taken once that size is known.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/loader/pipeline.h"
#include "bucketline/loader/probe_fields.h"

namespace bucketline {
// True when the row's pixels have a place. Otherwise its bytes were parked, or it is finished.
bool Pipeline::ReadyToDecode(DecodeJob& job, std::span<const ImageInfo> infos) {
  if (!sizes_rows()) return true;
  OpenBatch& batch = *job.batch;
  const TensorLayout layout = LayOutTensors(parts_.fields, OwnSizes(parts_.fields, infos), batch.rows.size());
  bool dead = false;
  bool granted = false;
  {
    std::lock_guard lock(mutex_);
    dead = batch.dead;
    granted = batch.granted;
    if (!dead && !granted) {
      if (!batch.sized && job.row == batch.size_row) {
        batch.sized = true;
        batch.size_record = batch.rows[job.row].record;
        batch.layout = layout;
        batch.slot_bytes = layout.bytes;
        replacement_wanted_.notify_all();
      }
      batch.rows[job.row].parts = std::move(job.parts);
    }
  }
  if (granted && layout == batch.layout) return true;
  if (dead || granted) {
    job.parts.clear();
    FinishRow(batch, job.row,
              granted ? std::optional<RowError>(SizeMismatch(batch, job.row, layout)) : std::nullopt);
  } else {
    GrantSlots();
  }
  return false;
}

Error Pipeline::SizeMismatch(const OpenBatch& batch, uint32_t row, const TensorLayout& layout) const {
  size_t field = 0;
  while (layout.fields[field] == batch.layout.fields[field]) ++field;
  const TensorPlace& size = layout.fields[field];
  const TensorPlace& wanted = batch.layout.fields[field];
  const Field& of = parts_.fields[field];
  return Error(
      ErrorCode::kInvalidArgument,
      fmt::format(
          "this image has {} x {} pixels (height x width), but {}, which gives its batch the size, has "
          "{} x {}; give an image size, which images of several sizes need",
          size.height, size.width, UriOf(batch.size_record, of.part), wanted.height, wanted.width),
      UriOf(batch.rows[row].record, of.part));
}

void Pipeline::UnparkLocked(OpenBatch& batch, uint32_t row) {
  OpenRow& open = batch.rows[row];
  if (!open.parked()) return;
  queue_.Push({.batch = &batch, .row = row, .parts = std::exchange(open.parts, {})});
}

void Pipeline::MoveSizeRowLocked(OpenBatch& batch) {
  while (batch.size_row < batch.rows.size() && batch.rows[batch.size_row].masked) ++batch.size_row;
  if (batch.size_row < batch.rows.size()) UnparkLocked(batch, batch.size_row);
}

// The row that was to give the size, or the memory for it, failed: whatever waits for that is finished.
void Pipeline::KillLocked(OpenBatch& batch, RowError error) {
  batch.dead = true;
  batch.Note(batch.size_row, std::move(error));
  for (OpenRow& row : batch.rows) {
    if (!row.parked()) continue;
    row.parts.clear();
    --batch.pending;
  }
  const auto first = replacements_.lower_bound({batch.sequence, 0});
  auto last = first;
  for (; last != replacements_.end() && last->first == batch.sequence; ++last) --batch.pending;
  replacements_.erase(first, last);
  if (batch.finished()) front_finished_.notify_all();
}

void Pipeline::GrantSlots() {
  for (;;) {
    OpenBatch* batch = nullptr;
    {
      std::lock_guard lock(mutex_);
      batch = NextGrantLocked();
      if (batch == nullptr) return;
    }
    Grant(*batch);
  }
}

// The batch whose turn it is, with its slot; nullptr when its size is not known or there is no room.
OpenBatch* Pipeline::NextGrantLocked() {
  if (stopped_) return nullptr;
  for (grant_ = std::max(grant_, front_); grant_ - front_ < open_.size(); ++grant_) {
    OpenBatch& batch = FindLocked(grant_);
    if (batch.finished() || batch.dead) continue;
    if (!batch.sized) return nullptr;
    const uint64_t bytes = batch.slot_bytes;
    if (bytes > slots_.capacity()) {
      KillLocked(
          batch,
          Error(ErrorCode::kResourceExhausted,
                fmt::format("a batch of {} images of this size ({} x {}) takes {}, more than the loader's "
                            "memory has for batches; a memory of {} bytes is enough",
                            batch.rows.size(), batch.layout.fields.front().height,
                            batch.layout.fields.front().width, FormatByteSize(bytes), 4 * bytes),
                UriOf(batch.size_record)));
      continue;
    }
    if (!TrySlot(bytes, batch.slot)) return nullptr;
    ++grant_;
    return &batch;
  }
  return nullptr;
}

// Not under the lock: the user's allocator may take its time. The batch stays, as no row of it is finished before, unless
// Stop ends it, which does not wait for the consumer.
void Pipeline::Grant(OpenBatch& batch) {
  Result<std::shared_ptr<BatchPool::Block>> block = Catch([&] {
    auto taken = parts_.pool->Take(sizes_rows() ? batch.slot_bytes : parts_.needs.tensor_bytes);
    // Its failure is the batch's, and the user's allocator must not run under the lock below, for a row that was masked.
    if (sizes_rows()) taken->data();
    return taken;
  });
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  if (!block) {
    KillLocked(batch, block.error());
    return;
  }
  batch.block = *std::move(block);
  batch.granted = true;
  for (uint32_t row = 0; row < batch.rows.size(); ++row) {
    if (batch.rows[row].masked) batch.ClearRow(row);
    UnparkLocked(batch, row);
  }
}

}  // namespace bucketline
