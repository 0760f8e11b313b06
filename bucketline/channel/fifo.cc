#include "bucketline/channel/fifo.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

// Of this process alone, beside the FIFO.
std::string HiddenName(const std::string& path) {
  const std::filesystem::path visible(path);
  return (visible.parent_path() / fmt::format(".{}.{}", visible.filename().string(), ::getpid())).string();
}

// The file of that name, until it goes.
class Hidden {
 public:
  explicit Hidden(std::string path) : path_(std::move(path)) { ::unlink(path_.c_str()); }
  ~Hidden() { ::unlink(path_.c_str()); }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

  const char* path() const { return path_.c_str(); }

 private:
  const std::string path_;
};

}  // namespace

Fifo::Fifo(std::string path) : path_(std::move(path)) {
  const auto check = [&](int result, const char* what) {
    if (result < 0) throw PosixError(errno, what, path_);
    return result;
  };
  const Hidden hidden(HiddenName(path_));
  check(::mkfifo(hidden.path(), 0666), "make the FIFO");
  reading_ = UniqueFd(check(::open(hidden.path(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open the FIFO"));
  writing_ = UniqueFd(check(::open(hidden.path(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), "open the FIFO"));
  opened_ = UniqueFd(check(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "watch the FIFO with inotify"));
  check(::inotify_add_watch(opened_.get(), hidden.path(), IN_OPEN), "watch the FIFO with inotify");
  if (::link(hidden.path(), path_.c_str()) != 0) {
    if (errno != EEXIST) throw PosixError(errno, "make the FIFO", path_);
    throw Error(ErrorCode::kAlreadyExists,
                "something is there already; when no other run serves this channel, remove it", path_);
  }
  named_ = true;
}

Fifo::~Fifo() { Remove(); }

bool Fifo::AwaitReader(int stop_fd) {
  std::array<pollfd, 2> waits = {{{opened_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}}};
  for (;;) {
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno != EINTR) throw PosixError(errno, "wait for a reader of the FIFO", path_);
    } else if (waits[1].revents != 0) {
      return false;
    } else if (WasOpened()) {
      return true;
    }
  }
}

// The kernel also tells when the last name of the FIFO goes, which is no reader.
bool Fifo::WasOpened() {
  alignas(inotify_event) std::array<char, 4096> events;
  const ssize_t got = ::read(opened_.get(), events.data(), events.size());
  bool opened = false;
  for (ssize_t at = 0; at < got;) {
    const auto* event = reinterpret_cast<const inotify_event*>(events.data() + at);
    opened |= (event->mask & IN_OPEN) != 0;
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
  return opened;
}

UniqueFd Fifo::TakeWriting() {
  opened_.Close();
  reading_.Close();
  return std::move(writing_);
}

void Fifo::Remove() {
  if (std::exchange(named_, false)) ::unlink(path_.c_str());
}

}  // namespace bucketline
