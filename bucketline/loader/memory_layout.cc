#include "bucketline/loader/memory_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"

namespace bucketline {
namespace {

// What outlasts a late record is read ahead, not yet decoded: so many batches of records for each decoded one, which takes
// several times as much.
constexpr uint64_t kRecordsAhead = 4;
constexpr uint64_t kReplacementShare = 64;  // of the memory, where there is room: more than one at a time

uint64_t FurtherSlots(const MemoryNeeds& needs, uint64_t rest) {
  if (needs.usual_records == 0) return rest / 2 / needs.batch_bytes;
  return rest / (needs.batch_bytes + kRecordsAhead * needs.usual_records);
}

MemoryLayout FixedRows(const MemoryNeeds& needs, uint64_t memory) {
  MemoryLayout layout;
  layout.replacement = needs.own_replacements ? needs.largest_record : 0;
  // One batch and the largest record are certain; scratch is a quarter, or what the minimum leaves.
  uint64_t rest = memory - needs.largest_record - layout.replacement - needs.batch_bytes;
  layout.scratch = std::min(memory / 4, rest);
  rest -= layout.scratch;
  layout.kept = std::min(memory / 16, rest / 4);
  rest -= layout.kept;
  uint64_t slots = 1;
  if (rest >= needs.batch_bytes) {  // the second slot comes before everything: it overlaps work and delivery
    ++slots;
    rest -= needs.batch_bytes;
    if (needs.own_replacements) {
      const uint64_t more = std::min(rest / 8, memory / kReplacementShare);
      layout.replacement += more;
      rest -= more;
    }
    slots += FurtherSlots(needs, rest);
  }
  layout.batches = slots * needs.batch_bytes;
  layout.fetch = memory - layout.batches - layout.replacement - layout.scratch - layout.kept;
  return layout;
}

MemoryLayout SizedRows(const MemoryNeeds& needs, uint64_t memory) {
  MemoryLayout layout;
  layout.scratch = memory / 4 - memory / 16;
  layout.kept = memory / 16;
  layout.fetch = std::max(needs.largest_record, memory / 4);
  layout.replacement = needs.own_replacements ? needs.largest_record : 0;
  layout.batches = memory - layout.scratch - layout.kept - layout.fetch - layout.replacement;
  return layout;
}

}  // namespace

uint64_t MinimumMemory(const MemoryNeeds& needs) {
  // Batches of a size not known yet get at least a quarter.
  if (needs.rows == MemoryNeeds::Rows::kSized) return std::max<uint64_t>(4 * needs.largest_record, 64);
  return (needs.own_replacements ? 2 : 1) * needs.largest_record + 2 * needs.batch_bytes;
}

MemoryLayout LayOutMemory(const MemoryNeeds& needs, uint64_t memory) {
  const uint64_t minimum = MinimumMemory(needs);
  if (memory < minimum) {
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("a loader's memory of {} ({} bytes) is too small: with this largest record of {} and "
                    "batches of {} the minimum is {} ({} bytes); give more memory or use smaller batches",
                    FormatByteSize(memory), memory, FormatByteSize(needs.largest_record),
                    needs.rows == MemoryNeeds::Rows::kSized ? "a size not known yet"
                                                            : FormatByteSize(needs.batch_bytes),
                    FormatByteSize(minimum), minimum),
        needs.largest_uri);
  }
  switch (needs.rows) {
    case MemoryNeeds::Rows::kFixed:
      return FixedRows(needs, memory);
    case MemoryNeeds::Rows::kSized:
      return SizedRows(needs, memory);
    case MemoryNeeds::Rows::kRaw:
      break;
  }
  return {.batches = memory, .fetch = memory, .replacement = 0, .scratch = 0, .kept = 0};
}

uint64_t MemoryForScratch(const MemoryNeeds& needs, uint64_t scratch) {
  uint64_t low = MinimumMemory(needs);
  uint64_t high = low + 8 * scratch + 64;
  while (low < high) {  // the share grows with the memory
    const uint64_t middle = low + (high - low) / 2;
    if (LayOutMemory(needs, middle).scratch >= scratch) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace bucketline
