// OpenBatch: a batch in the making.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/fetcher.h"
#include "bucketline/loader/batch.h"
#include "bucketline/loader/batch_pool.h"
#include "bucketline/loader/field.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/pixel_tier.h"
#include "bucketline/loader/plan.h"

namespace bucketline {

// Why a row cannot be delivered.
struct RowError {
  Error error;
  std::exception_ptr cause = {};  // what a transform threw

  RowError(Error the_error) : error(std::move(the_error)) {}  // NOLINT: implicit on purpose
  RowError(Error the_error, std::exception_ptr the_cause)
      : error(std::move(the_error)), cause(std::move(the_cause)) {}
};

struct OpenRow {
  enum class Made { kNothing, kPixels, kValue };  // kPixels: or bytes

  uint64_t record = 0;  // what is really there: the plan's, or what stands in for it
  int tries = 0;        // replacements asked for
  bool masked = false;
  Made made = Made::kNothing;
  std::shared_ptr<void> value;   // of kValue
  std::optional<BadSample> bad;  // why the plan's record is not there
  size_t awaited = 0;            // parts that have not come
  std::vector<Fetched>
      parts;  // by field; being fetched, or parked: waiting for the rows' size or for the slot
  std::vector<KeptPixels> pixels;  // by field; empty where none are kept
  bool from_bytes = false;         // whatever pixels are kept: some that were there are not any more
  std::optional<std::pair<size_t, Error>> fetch_error;  // of the lowest field that has one

  bool parked() const { return awaited == 0 && !parts.empty(); }
};

// One field of a batch in the making; each row's part belongs to the one thread that works on the row.
struct OpenTensor {
  std::vector<float> geometry;        // 6 a row; empty for bytes
  std::vector<int32_t> source_sizes;  // 2 a row; empty for bytes
  std::vector<Bytes> raw;             // a row each; empty for pixels

  void SetGeometry(uint32_t row, const ImageGeometry& geometry, const ImageSize& row_size);
};

// Guarded by the pipeline's mutex, but for its constants and for the pixels of a row, which belong to the one
// thread that works on the row.
struct OpenBatch {
  OpenBatch(uint64_t the_sequence, BatchPlan the_plan, std::span<const Field> fields);

  const uint64_t sequence;  // counts batches of the pipeline from 0
  const BatchPlan plan;
  std::vector<OpenRow> rows;                           // as many as plan.rows
  size_t pending;                                      // rows that are not finished
  std::optional<std::pair<uint32_t, RowError>> error;  // of the lowest row that has one

  bool sized = false;    // the layout is known
  bool granted = false;  // has its slot, and so a block
  TensorLayout layout;
  uint64_t slot_bytes = 0;   // once sized
  uint32_t size_row = 0;     // the row whose image gives the size: the first that is not masked
  uint64_t size_record = 0;  // whose image gave the size, once sized; the row may get another record later
  bool dead = false;         // no size or no memory will come: rows finish without a decode
  Lease slot;
  std::shared_ptr<BatchPool::Block> block;    // of all fields' pixels; absent without any
  std::shared_ptr<BatchPool::Block> counted;  // for all fields' bytes; absent without any
  std::vector<OpenTensor> tensors;            // by field

  bool finished() const { return pending == 0; }
  // Throws what the block's data() throws.
  uint8_t* RowPixels(size_t field, uint32_t row) const {
    const TensorPlace& place = layout.fields[field];
    return static_cast<uint8_t*>(block->data()) + place.offset + row * place.row_bytes;
  }
  // A masked row: no pixels, bytes, geometry or value. Throws what the block's data() throws.
  void ClearRow(uint32_t row);

  // Remembers the error of the lowest row.
  void Note(uint32_t row, RowError row_error);
  // One row less to wait for.
  void Finish(uint32_t row, std::optional<RowError> row_error);

  // The first row that a transform has given a value for, or that it has kept.
  std::optional<uint32_t> FirstMade(OpenRow::Made made) const;
};

// The fields of a finished batch, as large as its rows. Throws what the block's data() throws.
std::vector<std::shared_ptr<const BatchField::Storage>> TakeFields(
    OpenBatch& open, std::span<const Field> fields, const std::shared_ptr<BatchPool::Block>& block);

// The finished batch. `values`: of a run whose transform gives them. Throws what the block's data() throws.
Batch Assemble(OpenBatch& open, const Dataset& dataset, const Plan& plan, std::span<const Field> fields,
               uint64_t fingerprint, bool values);

}  // namespace bucketline
