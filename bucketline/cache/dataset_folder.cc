#include "bucketline/cache/dataset_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/hash.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

constexpr uint64_t kFileOverhead = 512;  // of inode and name
constexpr char kInfo[] = "info";
constexpr std::string_view kUnfinished = "t-";

}  // namespace

uint64_t DiskBytes(uint64_t size, uint64_t block) {
  return (size + block - 1) / block * block + kFileOverhead;
}

uint64_t DatasetFolder::IdOf(std::string_view name) { return StableHash64(name); }
std::string DatasetFolder::FolderOf(uint64_t id) { return fmt::format("d-{:016x}", id); }
std::string DatasetFolder::PathOfFolder(size_t folder) { return fmt::format("{:02x}", folder); }

uint64_t DatasetFolder::OwnBytes(uint64_t block) { return DiskBytes(sizeof(DatasetInfo), block) + block; }

std::string DatasetFolder::PathOfHash(uint64_t hash) {
  return fmt::format("{:02x}/{:016x}", FolderOfHash(hash), hash);
}

DatasetFolder::DatasetFolder(uint64_t id, UniqueFd folder, const UniqueFd& info, uint64_t block)
    : id_(id),
      block_(block),
      folder_(std::move(folder)),
      map_(std::make_unique<CounterFile>(info, sizeof(DatasetInfo))) {}

std::unique_ptr<DatasetFolder> DatasetFolder::Open(int root, uint64_t id, uint64_t block) {
  UniqueFd folder(::openat(root, FolderOf(id).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) {
    if (errno == ENOENT) return nullptr;
    throw PosixError(errno, "open a folder of the cache");
  }
  const UniqueFd file = OpenOfSize(folder.get(), kInfo, sizeof(DatasetInfo));
  if (!file) return nullptr;
  std::unique_ptr<DatasetFolder> dataset(new DatasetFolder(id, std::move(folder), file, block));
  const DatasetInfo& info = dataset->info();
  if (info.magic != DatasetInfo::kMagic || info.version != kCacheVersion ||
      info.name_size > DatasetInfo::kNameBytes)
    return nullptr;
  return dataset;
}

std::unique_ptr<DatasetFolder> DatasetFolder::Make(int root, std::string_view name, uint64_t block) {
  const uint64_t id = IdOf(name);
  const std::string path = FolderOf(id);
  if (::mkdirat(root, path.c_str(), 0777) != 0 && errno != EEXIST)
    throw PosixError(errno, "make a folder of the cache");
  const UniqueFd folder(::openat(root, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) throw PosixError(errno, "open a folder of the cache");
  DatasetInfo info{};
  info.magic = DatasetInfo::kMagic;
  info.version = kCacheVersion;
  info.name_size = static_cast<uint32_t>(std::min(name.size(), DatasetInfo::kNameBytes));
  std::memcpy(info.name, name.data(), info.name_size);
  WriteFileAt(folder.get(), kInfo, &info, sizeof info);
  return Open(root, id, block);
}

std::string DatasetFolder::name() const { return {info().name, info().name_size}; }

WallTime DatasetFolder::last_used() const { return WallTime(Duration(info().last_used.load())); }
void DatasetFolder::Touch(WallTime now) { info().last_used = now.time_since_epoch().count(); }

DatasetFolder::Count DatasetFolder::Total() const {
  Count total;
  for (size_t i = 0; i < kFoldersPerDataset; ++i) {
    total.bytes += info().bytes[i].load();
    total.entries += info().entries[i].load();
  }
  return total;
}

bool DatasetFolder::ForEachEntry(size_t folder,
                                 const std::function<bool(int folder_fd, const char* name)>& visit) const {
  const int fd = ::openat(folder_.get(), PathOfFolder(folder).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return true;
    throw PosixError(errno, "open a folder of the cache");
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
  if (stream == nullptr) {
    const UniqueFd closed(fd);
    throw PosixError(errno, "read a folder of the cache");
  }
  errno = 0;
  while (const dirent* found = ::readdir(stream.get())) {
    const std::string_view name = found->d_name;
    if (name != "." && name != ".." && !visit(fd, found->d_name)) return false;
    errno = 0;
  }
  if (errno != 0) throw PosixError(errno, "read a folder of the cache");
  return true;
}

DatasetFolder::Count DatasetFolder::CountEntries(size_t folder) const {
  Count count;
  ForEachEntry(folder, [&](int fd, const char* name) {
    if (std::string_view(name).starts_with(kUnfinished) && ::unlinkat(fd, name, 0) == 0) return true;
    struct stat status = {};
    if (::fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
    count.bytes += DiskBytes(static_cast<uint64_t>(status.st_size), block_);
    ++count.entries;
    return true;
  });
  if (::faccessat(folder_.get(), PathOfFolder(folder).c_str(), F_OK, 0) == 0) count.bytes += block_;
  return count;
}

void DatasetFolder::RemoveEntries(size_t folder) const {
  ForEachEntry(folder, [](int fd, const char* name) {
    ::unlinkat(fd, name, 0);
    return true;
  });
  ::unlinkat(folder_.get(), PathOfFolder(folder).c_str(), AT_REMOVEDIR);
}

}  // namespace bucketline
