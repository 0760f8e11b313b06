// MemoryLayout: how a loader's memory is dealt to its stages, so that none can starve another.
#pragma once

#include <cstdint>
#include <string>

namespace bucketline {

// Why fixed shares instead of one pool: a stage that waits for memory must be able to rely on whoever holds
// it to finish without needing more. With a share per stage each wait has one direction:
//   record bytes  are taken in plan order, and come back when the row is decoded: those of the oldest batch wait for
//   nothing, as it is the first to get a slot;
//   batch slots   are taken in plan order, and come back when the consumer takes the oldest batch;
//   scratch       is held only by a decode that runs, which waits for nothing, and comes back when it ends.
// So the oldest batch can always finish. One share holds at least one batch, one the largest record. Where the records
// are the batch, the slot comes before the bytes, which are the same.
struct MemoryLayout {
  uint64_t batches = 0;      // slots: undelivered batches and idle buffers
  uint64_t fetch = 0;        // encoded records, from their request to the end of their decode
  uint64_t replacement = 0;  // records that are asked for later than in their turn; 0: they take from `fetch`
  uint64_t scratch = 0;      // of decodes that need more than their thread's part of `kept`
  uint64_t kept = 0;         // what decode threads keep from image to image, all together
};

struct MemoryNeeds {
  enum class Rows {
    kFixed,  // decoded, of one size that is known beforehand
    kSized,  // decoded, as large as the first image of their batch
    kRaw,    // not decoded: the records are the batch
  };
  Rows rows = Rows::kFixed;
  uint64_t batch_bytes = 0;   // the largest that a batch can be; not used for kSized
  uint64_t tensor_bytes = 0;  // those of them that are decoded rows
  uint64_t largest_record = 0;
  std::string largest_uri;     // for errors
  uint64_t usual_records = 0;  // bytes of a batch's records on average; 0: not known. Only for kFixed
  // Stand-ins, and rows whose kept pixels went away, need record bytes of their own: rows that wait for their batch's slot
  // hold theirs, and two rows of several parts could each wait for bytes that the other holds. Not for kRaw, whose slots
  // have room for both.
  bool own_replacements = false;
  bool any_record_in_any_row = false;  // stand-ins may be larger than what the plan says
};

// Below this no layout works: the largest record and two batches.
uint64_t MinimumMemory(const MemoryNeeds& needs);

// The shares, at most `memory` together (for kRaw the batches are all; `fetch` is the same bytes).
// Throws kResourceExhausted, naming the largest record and the minimum, when memory is below that.
MemoryLayout LayOutMemory(const MemoryNeeds& needs, uint64_t memory);

// The least memory whose layout has this much scratch.
uint64_t MemoryForScratch(const MemoryNeeds& needs, uint64_t scratch);

}  // namespace bucketline
