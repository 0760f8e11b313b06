#include "bucketline/store/file_root.h"

#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <fmt/format.h>

#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

// The path at which the kernel knows an open file, ending with "/".
std::string RealPathOf(int fd) {
  const std::string link = fmt::format("/proc/self/fd/{}", fd);
  std::string path(4096, '\0');
  while (true) {
    const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
    if (length < 0) throw PosixError(errno, "find the real path of an open file (is /proc mounted?)");
    if (static_cast<size_t>(length) < path.size()) {
      path.resize(static_cast<size_t>(length));
      if (!path.ends_with('/')) path += '/';
      return path;
    }
    path.resize(path.size() * 2);
  }
}

}  // namespace

FileRoot::FileRoot(const std::string& path) : fd_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) throw PosixError(errno, fmt::format("open the folder {}", path));
  real_path_ = RealPathOf(fd_.get());
}

bool FileRoot::IsInside(int fd) const { return RealPathOf(fd).starts_with(real_path_); }

UniqueFd FileRoot::Open(std::string_view path, int flags, mode_t mode) const {
  const std::string name = path.empty() ? "." : std::string(path);
  UniqueFd file(::openat(fd_.get(), name.c_str(), flags | O_CLOEXEC, mode));
  if (!file) throw PosixError(errno, "open it");
  if (!IsInside(file.get())) {
    throw Error(ErrorCode::kInvalidArgument, "it is a link to a place outside of the store's folder");
  }
  return file;
}

UniqueFd FileRoot::MakeFolders(std::string_view path, std::vector<std::string>* made) const {
  UniqueFd folder = Open("", O_RDONLY | O_DIRECTORY);
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string name(path.substr(begin, end - begin));
    // Made inside a folder that was checked, then checked itself: nothing is ever made behind a link that
    // leads out.
    if (::mkdirat(folder.get(), name.c_str(), 0777) == 0) {
      made->emplace_back(path.substr(0, end));
    } else if (errno != EEXIST) {
      throw PosixError(errno, fmt::format("make the folder {}", path.substr(0, end)));
    }
    UniqueFd next(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!next && errno == ENOTDIR) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("{} is a file, so it cannot be a folder of the key", path.substr(0, end)));
    }
    if (!next) throw PosixError(errno, fmt::format("open the folder {}", path.substr(0, end)));
    if (!IsInside(next.get())) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("{} is a link to a place outside of the store's folder", path.substr(0, end)));
    }
    folder = std::move(next);
    begin = end + 1;
  }
  return folder;
}

ObjectInfo ObjectOf(std::string_view key, const struct stat& status) {
  const int64_t mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  ObjectInfo object;
  object.key = key;
  object.size = static_cast<uint64_t>(status.st_size);
  object.etag = fmt::format("\"{:x}-{:x}-{:x}\"", status.st_ino, object.size, mtime_ns);
  object.last_modified = WallTime(Duration(mtime_ns));
  return object;
}

struct stat StatusOf(int fd) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) throw PosixError(errno, "read its status");
  return status;
}

UniqueFd OpenObject(const FileRoot& root, std::string_view key, int flags, struct stat* status) {
  UniqueFd file = root.Open(key, flags | O_NONBLOCK);
  *status = StatusOf(file.get());
  if (!S_ISREG(status->st_mode)) throw Error(ErrorCode::kNotFound, "it is not a regular file, so no object");
  return file;
}

}  // namespace bucketline
