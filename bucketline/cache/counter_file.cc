#include "bucketline/cache/counter_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/store/posix_error.h"

namespace bucketline {

CounterFile::CounterFile(const UniqueFd& file, size_t size) : size_(size) {
  void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (mapped == MAP_FAILED) throw PosixError(errno, "map the cache's counters");
  data_ = mapped;
}

CounterFile::~CounterFile() { ::munmap(data_, size_); }

UniqueFd OpenOfSize(int folder, const char* name, size_t size) {
  UniqueFd file(::openat(folder, name, O_RDWR | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return file;
    throw PosixError(errno, "open the cache's counters");
  }
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) throw PosixError(errno, "look at the cache's counters");
  if (static_cast<size_t>(status.st_size) != size) file.Close();
  return file;
}

void WriteFileAt(int folder, const std::string& name, const void* data, size_t size) {
  const std::string temporary = name + ".new";
  UniqueFd file(::openat(folder, temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) throw PosixError(errno, "make a file of the cache");
  const ssize_t written = ::write(file.get(), data, size);
  if (written != static_cast<ssize_t>(size)) {
    const int error = written < 0 ? errno : ENOSPC;
    ::unlinkat(folder, temporary.c_str(), 0);
    throw PosixError(error, "write a file of the cache");
  }
  if (::renameat(folder, temporary.c_str(), folder, name.c_str()) != 0)
    throw PosixError(errno, "name a file of the cache");
}

}  // namespace bucketline
