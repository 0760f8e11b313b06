#include "bucketline/cache/node_cache.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bucketline/base/units.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr Duration kDirectoryPatience = std::chrono::seconds(60);
constexpr Duration kRoomPatience = std::chrono::seconds(10);
constexpr Duration kFolderPatience = std::chrono::seconds(2);
constexpr Duration kFullPause = std::chrono::seconds(10);
constexpr Duration kFailedPause = std::chrono::seconds(10);
constexpr Duration kWarningPause = std::chrono::seconds(60);
constexpr int kRoomTries = 8;

int64_t Ticks(SteadyTime time) { return time.time_since_epoch().count(); }
int64_t Now() { return Ticks(Clock::Real().Now()); }

}  // namespace

// A lane of the cache's own, for one writer.
class NodeCache::LaneLoan {
 public:
  explicit LaneLoan(NodeCache& cache) : cache_(cache) {
    {
      std::lock_guard lock(cache_.mutex_);
      if (!cache_.lanes_.empty()) {
        lane_ = std::move(cache_.lanes_.back());
        cache_.lanes_.pop_back();
        return;
      }
    }
    lane_ = cache_.files_->MakeLane();
  }
  LaneLoan(const LaneLoan&) = delete;
  LaneLoan& operator=(const LaneLoan&) = delete;
  ~LaneLoan() {
    std::lock_guard lock(cache_.mutex_);
    cache_.lanes_.push_back(std::move(lane_));
  }
  const Lane& lane() const { return lane_; }

 private:
  NodeCache& cache_;
  Lane lane_;
};

CachedDataset::~CachedDataset() { folder_->Touch(Clock::Real().WallNow()); }

bool NodeCache::Accepts(uint64_t bytes) const {
  if (files_->state().counted == 0) return false;
  const int64_t now = Now();
  return now >= failed_until_ && (now >= full_until_ || files_->Fits(bytes + 2 * files_->block()));
}

std::shared_ptr<CachedDataset> NodeCache::Use(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    if (auto used = datasets_[name].lock()) return used;
  }
  const LaneLoan loan(*this);
  UniqueFd locks = files_->OpenLocks();
  const auto directory = RangeLock::Wait(loan.lane().locks.get(), lock_byte::kDirectory, LockKind::kExclusive,
                                         kDirectoryPatience);
  if (!directory) throw Error(ErrorCode::kTimeout, "another process keeps the cache locked", folder());
  const uint64_t id = DatasetFolder::IdOf(name);
  const auto use = [&] {
    return RangeLock::Wait(locks.get(), lock_byte::OfUse(id), LockKind::kShared, kDirectoryPatience);
  };
  std::unique_ptr<DatasetFolder> dataset = DatasetFolder::Open(files_->root(), id, files_->block());
  if (dataset == nullptr) {
    const uint64_t own = DatasetFolder::OwnBytes(files_->block());
    while (!files_->TakeOwn(own)) {
      if (files_->MakeRoom(own, loan.lane())) continue;
      log_(LogLevel::kWarning,
           fmt::format("the cache {} is full of datasets that are in use: nothing of {} is kept", folder(),
                       name));
      return nullptr;
    }
    files_->RemoveOrphan(id);
    try {
      dataset = DatasetFolder::Make(files_->root(), name, files_->block());
    } catch (const Error& error) {
      files_->GiveBackOwn(own);
      throw Error(error.code(),
                  error.message() + "; make room there, give another folder, or leave the cache out",
                  folder());
    }
    if (dataset == nullptr) throw Error(ErrorCode::kIo, "the cache's folder was changed by others", folder());
  }
  auto lock = use();
  if (!lock) throw Error(ErrorCode::kTimeout, "another process keeps the cache locked", folder());
  dataset->Touch(Clock::Real().WallNow());
  auto used = std::make_shared<CachedDataset>(std::move(dataset), std::move(locks), *std::move(lock));
  std::lock_guard guard(mutex_);
  datasets_[name] = used;
  return used;
}

std::optional<EntryReader> NodeCache::Find(const CachedDataset& dataset, const EntryId& id) {
  try {
    UniqueFd file(
        ::openat(dataset.folder().fd(), DatasetFolder::PathOfHash(id.hash()).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
      if (errno == ENOENT) return std::nullopt;
      throw PosixError(errno, "open an entry of the cache");
    }
    return EntryReader(std::move(file), id);
  } catch (const Error& error) {
    counters_.failed.Add();
    Warn(error);
    return std::nullopt;
  }
}

NodeCache::Bytes NodeCache::Read(const EntryReader& entry, std::span<uint8_t> memory) {
  try {
    return entry.Read(memory) ? Bytes::kWhole : Bytes::kDamaged;
  } catch (const Error& error) {
    counters_.failed.Add();
    Warn(error);
    return Bytes::kFailed;
  }
}

bool NodeCache::MakeRoom(uint64_t bytes, const Lane& lane) {
  if (Now() < full_until_) return false;
  const auto lock =
      RangeLock::Wait(lane.locks.get(), lock_byte::kDirectory, LockKind::kExclusive, kRoomPatience);
  if (lock && files_->MakeRoom(bytes, lane)) return true;
  full_until_ = Ticks(Clock::Real().Now() + kFullPause);
  return false;
}

NodeCache::Added NodeCache::Add(const CachedDataset& dataset, const EntryId& id, const ObjectInfo& object,
                                std::span<const uint8_t> payload) {
  if (!Accepts(payload.size())) {
    counters_.full.Add();
    return Added::kFull;
  }
  try {
    const LaneLoan loan(*this);
    const Lane& lane = loan.lane();
    const DatasetFolder& folder = dataset.folder();
    const size_t number = DatasetFolder::FolderOfHash(id.hash());
    const std::vector<uint8_t> header = EntryHeader(id, object, payload);
    const uint64_t bytes = DiskBytes(header.size() + payload.size(), files_->block());
    for (int tries = 0; tries < kRoomTries; ++tries) {
      {
        const auto lock = RangeLock::Wait(lane.locks.get(), lock_byte::OfFolder(folder.id(), number),
                                          LockKind::kShared, kFolderPatience);
        if (!lock) break;
        const SlotMark mark(*files_, lane, folder.id(), number);
        // A new folder's block beside the entry's own, whether it will be needed or not.
        if (files_->Take(folder, number, bytes + files_->block())) {
          bool there = false;
          uint64_t unneeded = files_->block();
          try {
            const int made = ::mkdirat(folder.fd(), DatasetFolder::PathOfFolder(number).c_str(), 0777);
            if (made == 0) unneeded = 0;
            if (made != 0 && errno != EEXIST) throw PosixError(errno, "make a folder of the cache");
            Write(dataset, id, header, payload, lane, &there);
          } catch (...) {
            files_->GiveBack(folder, number, bytes + unneeded);
            throw;
          }
          files_->GiveBack(folder, number, unneeded + (there ? bytes : 0));
          if (there) return Added::kThere;
          folder.info().entries[number] += 1;
          counters_.stored.Add();
          counters_.stored_bytes.Add(payload.size());
          return Added::kStored;
        }
      }
      if (!MakeRoom(bytes + files_->block(), lane)) break;
    }
    counters_.full.Add();
    return Added::kFull;
  } catch (const Error& error) {
    // A disk that is full, or gone, is asked again after a while.
    failed_until_ = Ticks(Clock::Real().Now() + kFailedPause);
    counters_.failed.Add();
    Warn(error);
    return Added::kFailed;
  }
}

void NodeCache::Write(const CachedDataset& dataset, const EntryId& id, std::span<const uint8_t> header,
                      std::span<const uint8_t> payload, const Lane& lane, bool* there) {
  const int root = dataset.folder().fd();
  const std::string path = DatasetFolder::PathOfHash(id.hash());
  const std::string unfinished =
      fmt::format("{}/t-{}", DatasetFolder::PathOfFolder(DatasetFolder::FolderOfHash(id.hash())), lane.slot);
  const UniqueFd file(::openat(root, unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) throw PosixError(errno, "make an entry of the cache");
  const auto fail = [&](int error, const char* what) {
    ::unlinkat(root, unfinished.c_str(), 0);
    throw PosixError(error, what);
  };
  iovec pieces[] = {{const_cast<uint8_t*>(header.data()), header.size()},
                    {const_cast<uint8_t*>(payload.data()), payload.size()}};
  size_t left = header.size() + payload.size();
  for (iovec* next = pieces; left > 0;) {
    const ssize_t got = ::writev(file.get(), next, static_cast<int>(std::end(pieces) - next));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(got == 0 ? EIO : errno, "write an entry of the cache");
    size_t done = static_cast<size_t>(got);
    left -= done;
    for (; next != std::end(pieces) && done >= next->iov_len; ++next) done -= next->iov_len;
    if (next == std::end(pieces)) break;
    next->iov_base = static_cast<uint8_t*>(next->iov_base) + done;
    next->iov_len -= done;
  }
  // Never over another: its bytes are counted.
  if (::renameat2(root, unfinished.c_str(), root, path.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST) {
    *there = true;
    ::unlinkat(root, unfinished.c_str(), 0);
    return;
  }
  if (errno != EINVAL && errno != ENOSYS) fail(errno, "name an entry of the cache");
  if (::linkat(root, unfinished.c_str(), root, path.c_str(), 0) != 0) {
    if (errno != EEXIST) fail(errno, "name an entry of the cache");
    *there = true;
  }
  ::unlinkat(root, unfinished.c_str(), 0);
}

void NodeCache::Drop(const CachedDataset& dataset, const EntryId& id, const EntryReader& reader) {
  try {
    const LaneLoan loan(*this);
    const Lane& lane = loan.lane();
    const DatasetFolder& folder = dataset.folder();
    const size_t number = DatasetFolder::FolderOfHash(id.hash());
    const std::string path = DatasetFolder::PathOfHash(id.hash());
    const auto lock = RangeLock::Wait(lane.locks.get(), lock_byte::OfFolder(folder.id(), number),
                                      LockKind::kExclusive, kFolderPatience);
    if (!lock) return;
    struct stat status = {};
    if (::fstatat(folder.fd(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        status.st_ino != reader.inode())
      return;
    const SlotMark mark(*files_, lane, folder.id(), number);
    if (::unlinkat(folder.fd(), path.c_str(), 0) != 0)
      throw PosixError(errno, "remove an entry of the cache");
    files_->Settle(folder, number, folder.CountEntries(number));
  } catch (const Error& error) {
    counters_.failed.Add();
    Warn(error);
  }
}

void NodeCache::Warn(const Error& error) {
  const int64_t now = Now();
  int64_t quiet = quiet_until_.load();
  if (now < quiet || !quiet_until_.compare_exchange_strong(quiet, Ticks(Clock::Real().Now() + kWarningPause)))
    return;
  log_(LogLevel::kWarning,
       fmt::format("{}; what the cache cannot keep is read from the store", error.WithUri(folder()).what()));
}

}  // namespace bucketline
