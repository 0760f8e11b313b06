#include "bucketline/store/file_walk.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include "bucketline/store/file_paths.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool SameTime(const struct stat& a, const struct stat& b) {
  return a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// Gone or leading outside: not an error of a listing.
bool IsLeftOut(const Error& error) {
  return error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kInvalidArgument;
}

}  // namespace

FileWalk::FileWalk(FileRoot root, std::string prefix) : root_(std::move(root)), prefix_(std::move(prefix)) {}

std::optional<ObjectInfo> FileWalk::Seek(const std::string& from) {
  if (!started_) {
    started_ = true;
    Enter("");
  }
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.next == level.entries.size()) {
      levels_.pop_back();
      continue;
    }
    const std::string path = level.path + level.entries[level.next];
    if (path.ends_with('/')) {
      ++level.next;
      // All keys below lie in [path, EndOfPrefix(path)).
      if (MayHoldPrefix(path) && EndOfPrefix(path) > from) Enter(path);
      continue;
    }
    if (path >= from) {
      if (std::optional<ObjectInfo> object = ObjectAt(path)) return object;
    }
    ++level.next;
  }
  return std::nullopt;
}

bool FileWalk::IsCurrent() const {
  return std::all_of(levels_.begin(), levels_.end(), [this](const Level& level) {
    struct stat now = {};
    const std::string path = level.path.empty() ? "." : level.path;
    return ::fstatat(root_.fd(), path.c_str(), &now, 0) == 0 && SameFile(now, level.status) &&
           SameTime(now, level.status);
  });
}

bool FileWalk::MayHoldPrefix(const std::string& folder) const {
  return folder.starts_with(prefix_) || prefix_.starts_with(folder);
}

void FileWalk::Enter(const std::string& path) {
  try {
    UniqueFd folder = root_.Open(path, O_RDONLY | O_DIRECTORY);
    Level level;
    level.path = path;
    level.status = StatusOf(folder.get());
    if (IsOnTheWay(level.status)) return;
    level.entries = ReadEntries(folder.get(), path);
    levels_.push_back(std::move(level));
  } catch (const Error& error) {
    if (path.empty()) throw;
    if (!IsLeftOut(error)) {
      throw Error(error.code(), fmt::format("cannot list the folder {}: {}", path, error.message()));
    }
  }
}

bool FileWalk::IsOnTheWay(const struct stat& status) const {
  return std::any_of(levels_.begin(), levels_.end(),
                     [&](const Level& level) { return SameFile(level.status, status); });
}

std::vector<std::string> FileWalk::ReadEntries(int folder, const std::string& path) const {
  const int copy = ::fcntl(folder, F_DUPFD_CLOEXEC, 0);
  const std::unique_ptr<DIR, CloseFolder> stream(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!stream) throw PosixError(errno, "read it");
  std::vector<std::string> entries;
  while (true) {
    errno = 0;
    const struct dirent* found = ::readdir(stream.get());
    if (found == nullptr) break;
    if (std::optional<std::string> entry = EntryOf(path, found->d_name, found->d_type)) {
      entries.push_back(std::move(*entry));
    }
  }
  if (errno != 0) throw PosixError(errno, "read it");
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::optional<std::string> FileWalk::EntryOf(const std::string& path, const char* name,
                                             unsigned char type) const {
  const std::string_view view(name);
  if (view == "." || view == ".." || IsTempName(view)) return std::nullopt;
  if (type == DT_DIR) return std::string(view) + '/';
  if (type == DT_REG) return std::string(view);
  if (type != DT_LNK && type != DT_UNKNOWN) return std::nullopt;
  try {
    const struct stat status = StatusOf(root_.Open(path + name, O_PATH).get());
    if (S_ISDIR(status.st_mode)) return std::string(view) + '/';
    if (S_ISREG(status.st_mode)) return std::string(view);
  } catch (const Error& error) {
    if (!IsLeftOut(error)) throw;
  }
  return std::nullopt;
}

std::optional<ObjectInfo> FileWalk::ObjectAt(const std::string& key) const {
  struct stat status = {};
  if (::fstatat(root_.fd(), key.c_str(), &status, 0) != 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return std::nullopt;
    throw PosixError(errno, fmt::format("read the status of {}", key));
  }
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return ObjectOf(key, status);
}

}  // namespace bucketline
