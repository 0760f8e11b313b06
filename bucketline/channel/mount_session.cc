#ifdef BUCKETLINE_HAS_FUSE

#include "bucketline/channel/mount_session.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "bucketline/base/error.h"
#include "bucketline/channel/mount_folder.h"
#include "bucketline/channel/mount_operations.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

constexpr size_t kMostThreads = 64;  // reads that wait for a store at a time; the kernel queues the rest

struct DestroySession {
  void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
using Session = std::unique_ptr<fuse_session, DestroySession>;

// A comma would end the option, a backslash quotes.
std::string Quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == ',' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

Session MakeSession(const std::string& source, bool allow_other, MountOperations& operations) {
  const std::string options =
      fmt::format("ro,default_permissions,max_read={},subtype=bucketline,fsname={}{}",
                  MountReader::kLongestRead, Quoted(source), allow_other ? ",allow_other" : "");
  std::array<const char*, 3> words = {"bucketline", "-o", options.c_str()};
  fuse_args args = FUSE_ARGS_INIT(words.size(), const_cast<char**>(words.data()));
  Session session(fuse_session_new(&args, &MountOperations::Table(), sizeof(fuse_lowlevel_ops), &operations));
  fuse_opt_free_args(&args);
  if (!session) throw Error(ErrorCode::kInternal, "libfuse refuses its options: " + options, source);
  return session;
}

}  // namespace

class MountSession::Impl {
 public:
  Impl(const MountTree& tree, MountReader& reader, MountSessionOptions options)
      : options_(std::move(options)),
        operations_(tree, reader, options_.mtime, options_.log, stop_.get_token()) {
    PrepareMountFolder(options_.folder);
    CheckFuseDevice();
    session_ = MakeSession(tree.dataset().source(), options_.allow_other, operations_);
    if (fuse_session_mount(session_.get(), options_.folder.c_str()) != 0) {
      throw Error(
          ErrorCode::kPermissionDenied,
          "the system refuses to mount here (its reason is on standard error): mounting takes root or "
          "fusermount3, --allow-other also user_allow_other in /etc/fuse.conf, and a container "
          "--device /dev/fuse --cap-add SYS_ADMIN",
          options_.folder);
    }
    Serve();
  }

  ~Impl() {
    End();
    fuse_session_unmount(session_.get());
  }

  bool WaitUntilGone(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return gone_changed_.wait(lock, stop, [&] { return gone_; });
  }

 private:
  void Serve() {
    try {
      const int fd = fuse_session_fd(session_.get());
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
      epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
      end_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
      if (!epoll_ || !end_)
        throw Error(ErrorCode::kResourceExhausted, "no file descriptor is left for a mount");
      for (const int watched : {fd, end_.get()}) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = watched}};
        epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watched, &event);
      }
      StartSpareThread();
      RaiseKernelReadAhead();
    } catch (...) {
      End();
      fuse_session_unmount(session_.get());
      throw;
    }
  }

  // The kernel asks for 128 KiB at a time; fewer, larger requests cost less. Only root may say so.
  void RaiseKernelReadAhead() {
    struct stat status{};
    if (stat(options_.folder.c_str(), &status) != 0) return;
    std::ofstream(
        fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(status.st_dev), minor(status.st_dev)))
        << MountReader::kLongestRead / 1024;
  }

  void StartSpareThread() {
    std::lock_guard lock(mutex_);
    if (ending_ || threads_.size() == kMostThreads || idle_.load() > 0) return;
    idle_.fetch_add(1);
    try {
      threads_.push_back(StartThread("bl-mount", [this] { Loop(); }));
    } catch (const Error& error) {
      idle_.fetch_sub(1);
      if (threads_.empty()) throw;
      options_.log(LogLevel::kWarning,
                   fmt::format("{}; the mount is served by {} threads", error.what(), threads_.size()));
    }
  }

  void Loop() {
    fuse_buf buffer{};  // NOLINT(bugprone-invalid-enum-default-initialization): as libfuse wants it
    for (;;) {
      epoll_event event{};
      if (epoll_wait(epoll_.get(), &event, 1, -1) < 0) continue;
      if (event.data.fd == end_.get()) break;
      const int received = fuse_session_receive_buf(session_.get(), &buffer);
      if (received == -EAGAIN || received == -EINTR) continue;
      if (received <= 0) {
        Gone();
        break;
      }
      if (idle_.fetch_sub(1) == 1) StartSpareThread();
      fuse_session_process_buf(session_.get(), &buffer);
      idle_.fetch_add(1);
    }
    std::free(buffer.mem);
  }

  void Gone() {
    {
      std::lock_guard lock(mutex_);
      gone_ = true;
    }
    gone_changed_.notify_all();
    WakeAll();
  }

  void WakeAll() const {
    const uint64_t one = 1;
    if (write(end_.get(), &one, sizeof(one)) != sizeof(one))
      std::abort();  // an eventfd takes 2^64 - 2 of them
  }

  void End() {
    stop_.request_stop();
    std::vector<std::thread> threads;
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      threads.swap(threads_);
    }
    if (threads.empty()) return;
    WakeAll();
    for (std::thread& thread : threads) thread.join();
  }

  const MountSessionOptions options_;
  std::stop_source stop_;
  MountOperations operations_;
  Session session_;
  UniqueFd epoll_;
  UniqueFd end_;  // readable once the threads shall end
  std::atomic<size_t> idle_{0};
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any gone_changed_;
  bool gone_ = false;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

MountSession::MountSession(const MountTree& tree, MountReader& reader, MountSessionOptions options)
    : impl_(std::make_unique<Impl>(tree, reader, std::move(options))) {}
MountSession::~MountSession() = default;
bool MountSession::WaitUntilGone(const std::stop_token& stop) { return impl_->WaitUntilGone(stop); }

}  // namespace bucketline

#endif  // BUCKETLINE_HAS_FUSE
