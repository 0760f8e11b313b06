#include "bucketline/channel/mount_order_plan.h"

#include <algorithm>

namespace bucketline {
namespace {

constexpr size_t kRuns = 4;
constexpr uint64_t kSlack = 16;       // records before or after the expected one: readers that take turns
constexpr uint64_t kShortestRun = 3;  // a shorter one may be chance

}  // namespace

MountOrderPlan::Ahead MountOrderPlan::Note(uint64_t record) {
  const auto follows = [&](const Run& run) {
    return record + kSlack >= run.next && record <= std::max(run.next, run.asked) + kSlack;
  };
  auto found = std::find_if(runs_.begin(), runs_.end(), follows);
  if (found == runs_.end()) {
    if (runs_.size() == kRuns) runs_.erase(runs_.begin());
    runs_.push_back({.next = record + 1, .asked = record + 1, .length = 1});
    return {};
  }
  std::rotate(found, found + 1, runs_.end());
  Run& run = runs_.back();
  if (record >= run.next) {
    run.next = record + 1;
    ++run.length;
  }
  if (run.length < kShortestRun) return {.in_run = true};
  const uint64_t first = std::max(run.asked, run.next);
  const uint64_t last = std::min(run.next + std::min(2 * run.length, most_), records_);
  if (first >= last) return {.in_run = true};
  run.asked = last;
  return {.first = first, .last = last, .in_run = true};
}

void MountOrderPlan::NoRoom(const Ahead& ahead, uint64_t first) {
  for (Run& run : runs_) {
    if (run.asked == ahead.last) run.asked = first;
  }
}

}  // namespace bucketline
