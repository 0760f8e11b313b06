#include "bucketline/cache/cache_report.h"

#include <algorithm>
#include <chrono>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/cache/cache_files.h"
#include "bucketline/cache/entry.h"

namespace bucketline {
namespace {

RangeLock LockDirectory(const CacheFiles& files, const UniqueFd& locks) {
  auto lock =
      RangeLock::Wait(locks.get(), lock_byte::kDirectory, LockKind::kExclusive, std::chrono::seconds(60));
  if (!lock) throw Error(ErrorCode::kTimeout, "another process keeps the cache locked", files.path());
  return *std::move(lock);
}

}  // namespace

CacheStatus ReadCacheStatus(const std::string& folder) {
  const auto files = CacheFiles::OpenExisting(folder);
  const UniqueFd locks = files->OpenLocks();
  CacheStatus status{.limit = files->state().limit,
                     .used = files->state().used,
                     .in_use = RangeLock::HeldByOthers(locks.get(), lock_byte::kFirstSlot, kSlots),
                     .counted = files->state().counted != 0,
                     .datasets = {}};
  for (const auto& dataset : files->Datasets()) {
    const DatasetFolder::Count total = dataset->Total();
    status.datasets.push_back(
        {.name = dataset->name(),
         .entries = total.entries,
         .bytes = total.bytes + DatasetFolder::OwnBytes(files->block()),
         .last_used = dataset->last_used(),
         .in_use = RangeLock::HeldByOthers(locks.get(), lock_byte::OfUse(dataset->id()), 1)});
  }
  return status;
}

CacheCheck VerifyCache(const std::string& folder, const std::function<void(uint64_t entries)>& progress,
                       const std::stop_token& stop) {
  const auto files = CacheFiles::OpenExisting(folder);
  const Lane lane = files->MakeLane();
  CacheCheck check;
  for (const auto& dataset : files->Datasets()) {
    for (size_t number = 0; number < kFoldersPerDataset; ++number) {
      bool removed = false;
      dataset->ForEachEntry(number, [&](int fd, const char* name) {
        if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped on request", folder);
        if (std::string_view(name).starts_with("t-")) return true;  // being written
        const UniqueFd file(::openat(fd, name, O_RDONLY | O_CLOEXEC));
        if (!file) return true;  // gone by now
        struct stat status = {};
        ::fstat(file.get(), &status);
        ++check.entries;
        check.bytes += DiskBytes(static_cast<uint64_t>(status.st_size), files->block());
        if (!IsWholeEntry(file.get())) {
          ++check.damaged;
          removed = ::unlinkat(fd, name, 0) == 0 || removed;
        }
        if (progress) progress(check.entries);
        return true;
      });
      if (removed) files->CountAgain(*dataset, number, lane);
    }
  }
  return check;
}

uint64_t ClearCache(const std::string& folder, const std::string& dataset) {
  const auto files = CacheFiles::OpenExisting(folder);
  const Lane lane = files->MakeLane();
  const RangeLock lock = LockDirectory(*files, lane.locks);
  bool found = dataset.empty();
  const uint64_t before = files->state().used;
  uint64_t freed = 0;
  for (const auto& one : files->Datasets()) {
    if (!dataset.empty() && one->name() != dataset) continue;
    found = true;
    freed += one->Total().bytes;
    for (size_t number = 0; number < kFoldersPerDataset; ++number) {
      if (one->info().bytes[number] > 0) files->Empty(*one, number, lane);
    }
    freed -= one->Total().bytes;
    const auto unused = RangeLock::Try(lane.locks.get(), lock_byte::OfUse(one->id()), LockKind::kExclusive);
    if (unused && one->Total().bytes == 0) files->Remove(*one);
  }
  if (!found) {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("the cache has no dataset of the name {}; bucketline cache status tells which it has",
                    dataset),
        folder);
  }
  return std::max(freed, before - std::min<uint64_t>(before, files->state().used));
}

}  // namespace bucketline
