#include "bucketline/channel/fifo.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {

Fifo::Fifo(std::string path) : path_(std::move(path)) {
  if (::mkfifo(path_.c_str(), 0666) != 0) {
    if (errno == EEXIST) {
      throw Error(ErrorCode::kAlreadyExists,
                  "something is there already; when no other run serves this channel, remove it", path_);
    }
    throw PosixError(errno, "make the FIFO", path_);
  }
  named_ = true;
  place_ = UniqueFd(::open(path_.c_str(), O_PATH | O_CLOEXEC | O_NOFOLLOW));
  spare_ = UniqueFd(place_ ? ::fcntl(place_.get(), F_DUPFD_CLOEXEC, 0) : -1);
  if (!spare_) {
    const int problem = errno;
    Remove();
    throw PosixError(problem, "open the FIFO", path_);
  }
}

Fifo::~Fifo() { Remove(); }

UniqueFd Fifo::Open(int flags, const char* what) const {
  const std::string self = fmt::format("/proc/self/fd/{}", place_.get());
  int fd = -1;
  do {
    fd = ::open(self.c_str(), flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) throw PosixError(errno, what, path_);
  return UniqueFd(fd);
}

UniqueFd Fifo::OpenForWriting() {
  UniqueFd fd = Open(O_WRONLY, "open the FIFO for writing");
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
    throw PosixError(errno, "open the FIFO for writing", path_);
  return fd;
}

void Fifo::Remove() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(named_, false)) ::unlink(path_.c_str());
}

void Fifo::Release() {
  Remove();
  const std::lock_guard lock(mutex_);
  if (reading_) return;
  spare_.Close();
  reading_ = Open(O_RDONLY | O_NONBLOCK, "open the FIFO");
}

}  // namespace bucketline
