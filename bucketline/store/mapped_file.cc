#include "bucketline/store/mapped_file.h"

#include <cerrno>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {

Bytes MapFile(const std::string& path) {
  // A FIFO that nobody writes to must not keep us here.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) throw PosixError(errno, "open this file", path);
  return MapFile(file, path);
}

Bytes MapFile(const UniqueFd& file, const std::string& path) {
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw PosixError(errno, "look at this file", path);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::kInvalidArgument, "this is no regular file", path);
  const auto size = static_cast<size_t>(status.st_size);
  if (size == 0) return {};
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) throw PosixError(errno, "map this file", path);
  std::shared_ptr<void> owner(data, [size](void* mapped) { ::munmap(mapped, size); });
  return Bytes(std::move(owner), static_cast<const uint8_t*>(data), size);
}

}  // namespace bucketline
