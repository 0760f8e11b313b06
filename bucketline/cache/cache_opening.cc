// How a process joins a cache: its limit, what others left, and what must be counted anew.
#include <chrono>
#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/hash.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/node_cache.h"
#include "bucketline/exec/thread_pool.h"

namespace bucketline {
namespace {

constexpr Duration kDirectoryPatience = std::chrono::seconds(60);

// Another number after each start of the system; never 0.
uint64_t BootNumber() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return StableHash64(id) | 1;
}

}  // namespace

std::shared_ptr<NodeCache> NodeCache::Open(NodeCacheOptions options) {
  if (options.folder.empty()) throw Error(ErrorCode::kInvalidArgument, "the cache needs a folder");
  if (options.limit != 0 && options.limit < kMinCacheBytes) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("cache_size is {}; it must be at least {}", FormatByteSize(options.limit),
                            FormatByteSize(kMinCacheBytes)),
                options.folder);
  }
  std::shared_ptr<NodeCache> cache(
      new NodeCache(CacheFiles::OpenOrMake(options.folder), std::move(options.log)));
  cache->Join(options.limit);
  return cache;
}

void NodeCache::Join(uint64_t limit) {
  const UniqueFd locks = files_->OpenLocks();
  const auto directory =
      RangeLock::Wait(locks.get(), lock_byte::kDirectory, LockKind::kExclusive, kDirectoryPatience);
  if (!directory) throw Error(ErrorCode::kTimeout, "another process keeps the cache locked", folder());
  const bool alone = !RangeLock::HeldByOthers(locks.get(), lock_byte::kFirstSlot, kSlots);
  SetLimit(limit, alone);
  SharedState& state = files_->state();
  if (alone && state.boot != BootNumber()) state.counted = 0;
  lanes_.push_back(files_->MakeLane());
  if (state.counted == 0 && files_->Datasets().empty()) {
    files_->SumUp();
    Counted();
  }
  if (state.counted == 0) return CountInBackground();
  files_->Recover(lanes_.front());
  if (!alone) return;
  files_->SumUp();
  files_->Shrink(lanes_.front());
}

void NodeCache::SetLimit(uint64_t limit, bool alone) {
  SharedState& state = files_->state();
  const uint64_t before = state.limit;
  if (limit == 0 && before == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "a new cache needs a size, the bytes of disk that it may take: cache_size=\"200GiB\", "
                "--cache-size 200GiB",
                folder());
  }
  if (limit == 0 || limit == before) return;
  if (!alone) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format(
            "cache_size is {}, and other processes use this cache with {}; give all of them the same, or "
            "leave it out to take theirs",
            FormatByteSize(limit), FormatByteSize(before)),
        folder());
  }
  state.limit = limit;
}

// Whoever else comes meanwhile reads what is there, and adds nothing yet.
void NodeCache::CountInBackground() {
  counting_ = StartThread("bl-cache", [this] {
    try {
      Count(stop_counting_.get_token());
    } catch (const Error& error) {
      counters_.failed.Add();
      Warn(error);
    }
  });
}

NodeCache::~NodeCache() {
  stop_counting_.request_stop();
  if (counting_.joinable()) counting_.join();
}

void NodeCache::Count(const std::stop_token& stop) {
  const UniqueFd locks = files_->OpenLocks();
  const auto counting = RangeLock::Try(locks.get(), lock_byte::kCounting, LockKind::kExclusive);
  SharedState& state = files_->state();
  if (!counting || state.counted != 0) return;
  const Lane lane = files_->MakeLane();
  for (const auto& dataset : files_->Datasets()) {
    for (size_t folder = 0; folder < kFoldersPerDataset; ++folder) {
      if (stop.stop_requested() || !files_->CountAgain(*dataset, folder, lane)) return;
    }
  }
  const auto directory =
      RangeLock::Wait(locks.get(), lock_byte::kDirectory, LockKind::kExclusive, kDirectoryPatience);
  if (!directory) return;
  for (size_t slot = 0; slot < kSlots; ++slot) {
    if (slot != lane.slot) state.slots[slot].folder_plus_one = 0;
  }
  files_->SumUp();
  files_->Shrink(lane);
  Counted();
}

void NodeCache::Counted() {
  files_->state().boot = BootNumber();
  files_->state().counted = 1;
}

}  // namespace bucketline
