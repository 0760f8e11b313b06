// MountOrderPlan: which files to read ahead when they are opened in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bucketline {

// Pure; not thread-safe. Files that are begun in about the order of their records, by one reader or by several that take
// turns, are a run: each lets the window ahead of it grow, so that a run of n files reads at most 2 n ahead. A few
// runs go on beside each other, in different folders say; the one that rested longest gives way to a new one.
class MountOrderPlan {
 public:
  // `records` files; at most `most` of them ahead of the latest.
  MountOrderPlan(uint64_t records, uint64_t most) : records_(records), most_(most) {}

  // Notes that a record's first byte was asked for. What to read ahead now is [first, last).
  struct Ahead {
    uint64_t first = 0;
    uint64_t last = 0;
    bool in_run = false;  // it follows another one
  };
  Ahead Note(uint64_t record);

  // Of what Note said, the records from `first` on were not read ahead: they are due again at the next.
  void NoRoom(const Ahead& ahead, uint64_t first);

 private:
  struct Run {
    uint64_t next = 0;   // the record after the latest one
    uint64_t asked = 0;  // the record after the last that was read ahead
    uint64_t length = 0;
  };

  const uint64_t records_;
  const uint64_t most_;
  std::vector<Run> runs_;  // the one that rested longest is the first
};

}  // namespace bucketline
