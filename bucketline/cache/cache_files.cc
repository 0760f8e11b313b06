#include "bucketline/cache/cache_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bucketline/cache/local_disk.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr char kState[] = "state";
constexpr char kLock[] = "lock";
constexpr Duration kFolderPatience = std::chrono::seconds(5);

UniqueFd OpenFolder(const std::string& path) {
  UniqueFd root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) throw PosixError(errno, "open the cache folder", path);
  return root;
}

void MakeFolder(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return;
  throw PosixError(errno, "make the cache folder; give another one, or leave the cache out", path);
}

}  // namespace

CacheFiles::CacheFiles(std::string path, UniqueFd root) : path_(std::move(path)), root_(std::move(root)) {
  struct statvfs status = {};
  if (::fstatvfs(root_.get(), &status) == 0) block_ = std::max<uint64_t>(512, status.f_frsize);
}

std::unique_ptr<CacheFiles> CacheFiles::OpenOrMake(const std::string& path) {
  MakeFolder(path);
  std::unique_ptr<CacheFiles> files(new CacheFiles(path, OpenFolder(path)));
  RequireLocalDisk(files->root(), path);
  try {
    files->OpenState(true);
  } catch (const Error& error) {
    throw Error(error.code(),
                error.message() +
                    "; a cache needs a folder that can be written and has some room: give another "
                    "one, or leave the cache out",
                path);
  }
  return files;
}

std::unique_ptr<CacheFiles> CacheFiles::OpenExisting(const std::string& path) {
  std::unique_ptr<CacheFiles> files(new CacheFiles(path, OpenFolder(path)));
  try {
    files->OpenState(false);
  } catch (const Error& error) {
    throw error.WithUri(path);
  }
  return files;
}

void CacheFiles::OpenState(bool make) {
  if (make) {
    const UniqueFd locks(::openat(root(), kLock, O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!locks) throw PosixError(errno, "write to the cache folder");
  }
  const UniqueFd locks = OpenLocks();
  const auto lock =
      RangeLock::Wait(locks.get(), lock_byte::kDirectory, LockKind::kExclusive, std::chrono::seconds(60));
  if (!lock) throw Error(ErrorCode::kTimeout, "another process keeps the cache locked");
  if (OpenWholeState()) return;
  if (!make) throw Error(ErrorCode::kNotFound, "this folder is no cache");
  // There was none, or none that a loss of power has left whole: then what is there is counted anew.
  const auto state = std::make_unique<SharedState>();
  state->magic = SharedState::kMagic;
  state->version = kCacheVersion;
  WriteFileAt(root(), kState, state.get(), sizeof *state);
  if (!OpenWholeState()) throw Error(ErrorCode::kIo, "the cache's folder was changed by others");
}

bool CacheFiles::OpenWholeState() {
  const UniqueFd file = OpenOfSize(root(), kState, sizeof(SharedState));
  if (!file) return false;
  map_ = std::make_unique<CounterFile>(file, sizeof(SharedState));
  if (state().magic != SharedState::kMagic) return false;
  if (state().version == kCacheVersion) return true;
  throw Error(ErrorCode::kUnsupported,
              "the cache was made by another version of bucketline; remove the folder, or give another one");
}

void CacheFiles::RemoveOrphan(uint64_t dataset) const {
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(path_) / DatasetFolder::FolderOf(dataset), ignored);
}

UniqueFd CacheFiles::OpenLocks() const {
  UniqueFd locks(::openat(root(), kLock, O_RDWR | O_CLOEXEC));
  if (locks) return locks;
  if (errno == ENOENT) throw Error(ErrorCode::kNotFound, "this folder is no cache", path_);
  throw PosixError(errno, "open the cache's lock", path_);
}

Lane CacheFiles::MakeLane() const {
  Lane lane{.locks = OpenLocks()};
  for (lane.slot = 0; lane.slot < kSlots; ++lane.slot) {
    if (state().slots[lane.slot].folder_plus_one != 0) continue;  // somebody's, or to be recovered first
    lane.alive = RangeLock::Try(lane.locks.get(), lock_byte::kFirstSlot + lane.slot, LockKind::kExclusive);
    if (lane.alive) return lane;
  }
  throw Error(
      ErrorCode::kResourceExhausted,
      fmt::format("{} writers use the cache already; use one process a GPU, or several caches", kSlots),
      path_);
}

uint64_t CacheFiles::BaseBytes() const {
  return DiskBytes(sizeof(SharedState), block_) + DiskBytes(0, block_) + block_;
}

std::vector<uint64_t> CacheFiles::DatasetIds() const {
  std::vector<uint64_t> ids;
  const int fd = ::openat(root(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
  if (stream == nullptr) throw PosixError(errno, "read the cache folder", path_);
  while (const dirent* found = ::readdir(stream.get())) {
    const std::string_view name = found->d_name;
    uint64_t id = 0;
    if (name.size() != 18 || !name.starts_with("d-")) continue;
    const auto [end, error] = std::from_chars(name.data() + 2, name.data() + 18, id, 16);
    if (error == std::errc() && end == name.data() + 18) ids.push_back(id);
  }
  return ids;
}

std::vector<std::unique_ptr<DatasetFolder>> CacheFiles::Datasets() const {
  std::vector<std::unique_ptr<DatasetFolder>> datasets;
  for (const uint64_t id : DatasetIds()) {
    if (auto dataset = DatasetFolder::Open(root(), id, block_)) datasets.push_back(std::move(dataset));
  }
  std::sort(datasets.begin(), datasets.end(),
            [](const auto& a, const auto& b) { return a->last_used() < b->last_used(); });
  return datasets;
}

void CacheFiles::SumUp() const {
  uint64_t used = BaseBytes();
  for (const uint64_t id : DatasetIds()) {
    const auto dataset = DatasetFolder::Open(root(), id, block_);
    if (dataset != nullptr) {
      used += DatasetFolder::OwnBytes(block_) + dataset->Total().bytes;
    } else {
      RemoveOrphan(id);
    }
  }
  state().used = used;
}

// Whoever ends between two counters leaves `used` too large, never too small, until it is summed up again.
void CacheFiles::Settle(const DatasetFolder& dataset, size_t folder, DatasetFolder::Count count) const {
  const uint64_t before = dataset.info().bytes[folder].load();
  if (count.bytes > before) state().used += count.bytes - before;
  dataset.info().bytes[folder] = count.bytes;
  dataset.info().entries[folder] = count.entries;
  if (count.bytes < before) state().used -= before - count.bytes;
}

bool CacheFiles::Fits(uint64_t bytes) const {
  const uint64_t used = state().used.load(), limit = state().limit.load();
  return used <= limit && bytes <= limit - used;
}

bool CacheFiles::TakeOwn(uint64_t bytes) const {
  uint64_t used = state().used.load();
  do {
    const uint64_t limit = state().limit.load();
    if (used > limit || bytes > limit - used) return false;
  } while (!state().used.compare_exchange_weak(used, used + bytes));
  return true;
}

void CacheFiles::GiveBackOwn(uint64_t bytes) const { state().used -= bytes; }

bool CacheFiles::Take(const DatasetFolder& dataset, size_t folder, uint64_t bytes) const {
  if (!TakeOwn(bytes)) return false;
  dataset.info().bytes[folder] += bytes;
  return true;
}

void CacheFiles::GiveBack(const DatasetFolder& dataset, size_t folder, uint64_t bytes) const {
  dataset.info().bytes[folder] -= bytes;
  GiveBackOwn(bytes);
}

bool CacheFiles::Empty(const DatasetFolder& dataset, size_t folder, const Lane& lane) const {
  const auto lock = RangeLock::Wait(lane.locks.get(), lock_byte::OfFolder(dataset.id(), folder),
                                    LockKind::kExclusive, kFolderPatience);
  if (!lock) return false;
  const SlotMark mark(*this, lane, dataset.id(), folder);
  dataset.RemoveEntries(folder);
  Settle(dataset, folder, dataset.CountEntries(folder));
  return true;
}

bool CacheFiles::CountAgain(const DatasetFolder& dataset, size_t folder, const Lane& lane) const {
  const auto lock = RangeLock::Wait(lane.locks.get(), lock_byte::OfFolder(dataset.id(), folder),
                                    LockKind::kExclusive, kFolderPatience);
  if (!lock) return false;
  const SlotMark mark(*this, lane, dataset.id(), folder);
  Settle(dataset, folder, dataset.CountEntries(folder));
  return true;
}

void CacheFiles::Recover(const Lane& lane) const {
  for (size_t slot = 0; slot < kSlots; ++slot) {
    WriterSlot& left = state().slots[slot];
    if (left.folder_plus_one == 0 || slot == lane.slot) continue;
    const auto dead = RangeLock::Try(lane.locks.get(), lock_byte::kFirstSlot + slot, LockKind::kExclusive);
    if (!dead) continue;  // it lives
    const uint64_t marked = left.folder_plus_one;
    if (marked == 0) continue;  // it ended well just now
    const auto dataset = DatasetFolder::Open(root(), left.dataset, block_);
    if (dataset != nullptr && !CountAgain(*dataset, (marked - 1) % kFoldersPerDataset, lane)) continue;
    left.folder_plus_one = 0;
  }
}

bool CacheFiles::EmptyUntilFits(const DatasetFolder& dataset, uint64_t bytes, const Lane& lane) const {
  for (size_t folder = 0; folder < kFoldersPerDataset && !Fits(bytes); ++folder) {
    if (dataset.info().bytes[folder] > 0) Empty(dataset, folder, lane);
  }
  return Fits(bytes);
}

bool CacheFiles::MakeRoom(uint64_t bytes, const Lane& lane) const {
  if (Fits(bytes)) return true;
  Recover(lane);
  for (const auto& dataset : Datasets()) {
    if (Fits(bytes)) return true;
    const auto unused =
        RangeLock::Try(lane.locks.get(), lock_byte::OfUse(dataset->id()), LockKind::kExclusive);
    if (!unused) continue;
    EmptyUntilFits(*dataset, bytes, lane);
    if (dataset->Total().bytes == 0) Remove(*dataset);
  }
  return Fits(bytes);
}

void CacheFiles::Shrink(const Lane& lane) const {
  if (Fits(0)) return;
  for (const auto& dataset : Datasets()) {
    if (EmptyUntilFits(*dataset, 0, lane)) return;
  }
}

void CacheFiles::Remove(const DatasetFolder& dataset) const {
  ::unlinkat(dataset.fd(), "info", 0);
  if (::unlinkat(root(), DatasetFolder::FolderOf(dataset.id()).c_str(), AT_REMOVEDIR) == 0)
    GiveBackOwn(DatasetFolder::OwnBytes(block_));
}

}  // namespace bucketline
