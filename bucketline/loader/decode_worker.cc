#include "bucketline/loader/decode_worker.h"

#include <optional>
#include <utility>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

// The shares never add up to more than the common budget, so it has room for whoever has room in a share.
Reservation Count(MemoryBudget& common, uint64_t bytes) {
  std::optional<Reservation> counted = common.TryAcquire(bytes);
  if (!counted) throw Error(ErrorCode::kInternal, "the loader's memory shares are larger than its memory");
  return *std::move(counted);
}

}  // namespace

void DecodeWorker::Keep(uint64_t bytes) {
  if (bytes > kept_.bytes()) kept_.Merge(Count(*shares_.common, bytes - kept_.bytes()));
}

bool DecodeWorker::Run(uint64_t scratch, const std::function<void(Workbench&)>& work, std::stop_token stop) {
  if (scratch <= shares_.kept_each) {
    Keep(scratch);
    work(bench_);
    return true;
  }
  const std::optional<Reservation> large = shares_.large->Acquire(scratch, std::move(stop));
  if (!large) return false;
  const Reservation counted = Count(*shares_.common, scratch);
  Workbench bench;  // gone, with its scratch, before the reservations
  work(bench);
  return true;
}

}  // namespace bucketline
