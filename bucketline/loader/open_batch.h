// OpenBatch: a batch in the making.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bucketline/base/error.h"
#include "bucketline/dataset/dataset.h"
#include "bucketline/dataset/fetcher.h"
#include "bucketline/loader/batch.h"
#include "bucketline/loader/batch_pool.h"
#include "bucketline/loader/loader.h"
#include "bucketline/loader/plan.h"

namespace bucketline {

struct OpenRow {
  uint64_t record = 0;  // what is really there: the plan's, or what stands in for it
  int tries = 0;        // replacements asked for
  bool masked = false;
  std::optional<BadSample> bad;   // why the plan's record is not there
  std::optional<Fetched> parked;  // waits for the size of the rows or for the slot
};

// Guarded by the pipeline's mutex, but for its constants and for the pixels of a row, which belong to the one
// thread that works on the row.
struct OpenBatch {
  OpenBatch(uint64_t the_sequence, BatchPlan the_plan);

  const uint64_t sequence;  // counts batches of the pipeline from 0
  const BatchPlan plan;
  std::vector<OpenRow> rows;                        // as many as plan.rows
  size_t pending;                                   // rows that are not finished
  std::optional<std::pair<uint32_t, Error>> error;  // of the lowest row that has one

  bool sized = false;    // height, width and row_bytes are known
  bool granted = false;  // has its slot, and so a block
  int height = 0;
  int width = 0;
  size_t row_bytes = 0;
  uint32_t size_row = 0;  // the row whose image gives the size: the first that is not masked
  bool dead = false;      // no size or no memory will come: rows finish without a decode
  Lease slot;
  std::shared_ptr<BatchPool::Block> block;
  std::vector<Bytes> raw;

  bool finished() const { return pending == 0; }
  // Throws what the block's data() throws.
  uint8_t* RowPixels(uint32_t row) const { return static_cast<uint8_t*>(block->data()) + row * row_bytes; }

  // Remembers the error of the lowest row.
  void Note(uint32_t row, Error row_error);
  // One row less to wait for.
  void Finish(uint32_t row, std::optional<Error> row_error);
};

// What a batch is made of besides its rows' pixels. `images` is nullptr for raw batches.
Batch Assemble(OpenBatch& open, const Dataset& dataset, const Plan& plan, const ImageSpec* images,
               uint64_t fingerprint);

}  // namespace bucketline
