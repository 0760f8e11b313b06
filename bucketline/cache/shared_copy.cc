#include "bucketline/cache/shared_copy.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/base/hash.h"
#include "bucketline/cache/local_disk.h"
#include "bucketline/cache/range_lock.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/mapped_file.h"
#include "bucketline/store/posix_error.h"
#include "bucketline/store/unique_fd.h"

namespace bucketline {
namespace {

constexpr std::string_view kBegin = "copy-";  // of the names of files
constexpr std::string_view kUnfinished = ".new";
constexpr int kAttempts = 3;                               // at an object that is replaced meanwhile
constexpr auto kAskAgain = std::chrono::milliseconds(20);  // whether another process is ready

// What keeps a file from being had, which is no reason to fail.
struct NoFile : std::exception {
  explicit NoFile(Error error) : why(std::move(error)) {}
  Error why;
};

[[noreturn]] void ThrowNoFile(int error_number, std::string_view what, const std::string& path) {
  throw NoFile{PosixError(error_number, what, path)};
}

bool IsOwn(const struct stat& status) {
  return status.st_uid == ::geteuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

UniqueFd OpenFolder(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) != 0 && errno != EEXIST) ThrowNoFile(errno, "make this folder", path);
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) ThrowNoFile(errno, "open this folder", path);
  struct stat status = {};
  if (::fstat(folder.get(), &status) != 0) ThrowNoFile(errno, "look at this folder", path);
  if (!IsOwn(status)) {
    throw NoFile{Error(ErrorCode::kPermissionDenied,
                       "this folder is somebody else's, or others may use it; remove it, or set TMPDIR",
                       path)};
  }
  try {
    RequireLocalDisk(folder.get(), path);
  } catch (const Error& error) {
    throw NoFile{error};
  }
  return folder;
}

// One file of the folder, mapped to be filled.
class Filling : public GetSink {
 public:
  Filling(int file, size_t size) : size_(size) {
    void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (data == MAP_FAILED) throw NoFile{PosixError(errno, "map a copy")};
    data_ = static_cast<uint8_t*>(data);
  }
  Filling(const Filling&) = delete;
  Filling& operator=(const Filling&) = delete;
  ~Filling() override { ::munmap(data_, size_); }

  Result<std::span<uint8_t>> Begin(uint64_t size, const ObjectInfo&) override {
    if (size == size_) return std::span<uint8_t>(data_, size_);
    return Error(ErrorCode::kObjectChanged, "the object changed while it was opened; open it again");
  }

 private:
  uint8_t* data_ = nullptr;
  const size_t size_;
};

class SharedCopy {
 public:
  SharedCopy(ObjectStore& store, std::string key, const ObjectInfo& object, std::string_view place,
             const SharedCopyRules& rules, const std::stop_token& stop)
      : store_(store),
        key_(std::move(key)),
        object_(object),
        rules_(rules),
        stop_(stop),
        path_(rules.folder.empty() ? DefaultCopyFolder() : rules.folder),
        folder_(OpenFolder(path_)),
        whose_(fmt::format("{}{:016x}-", kBegin, StableHash64(key_, StableHash64(place)))),
        name_(fmt::format("{}{:016x}", whose_, StableHash64(object_.etag, object_.size))) {}

  Bytes Get() {
    const SteadyTime end = Clock::Real().Now() + rules_.patience;
    for (;;) {
      if (std::optional<Bytes> there = Find()) return *std::move(there);
      if (std::optional<Bytes> made = Make()) return *std::move(made);
      if (Clock::Real().Now() >= end) {
        throw NoFile{Error(ErrorCode::kTimeout, "another process began to read it and is not ready", path_)};
      }
      Pause();
    }
  }

 private:
  void Pause() const {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop_, kAskAgain, [] { return false; });
    if (stop_.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped on request");
  }

  // The finished file.
  std::optional<Bytes> Find() const {
    const UniqueFd file(
        ::openat(folder_.get(), name_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) {
      if (errno == ENOENT) return std::nullopt;
      ThrowNoFile(errno, "open a copy", path_);
    }
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) ThrowNoFile(errno, "look at a copy", path_);
    if (!S_ISREG(status.st_mode) || !IsOwn(status) || static_cast<uint64_t>(status.st_size) != object_.size) {
      if (::unlinkat(folder_.get(), name_.c_str(), 0) != 0)
        ThrowNoFile(errno, "remove a damaged copy", path_);
      return std::nullopt;
    }
    ::futimens(file.get(), nullptr);  // in use; if not, it is only read again one day
    return Mapped(file);
  }

  Bytes Mapped(const UniqueFd& file) const {
    const std::string path = path_ + "/" + name_;
    try {
      return MapFile(file, path);
    } catch (const Error& error) {
      throw NoFile{error};
    }
  }

  // Fills the file, unless somebody else is at it. Its lock ends with its holder; a half of one that was killed is begun anew.
  std::optional<Bytes> Make() {
    const std::string unfinished = name_ + std::string(kUnfinished);
    const UniqueFd file(::openat(folder_.get(), unfinished.c_str(),
                                 O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file) ThrowNoFile(errno, "make a copy", path_);
    const std::optional<RangeLock> lock = Lock(file);
    struct stat status = {};
    struct stat named = {};
    // Whoever had the lock before may have given the file its name.
    if (!lock || ::fstat(file.get(), &status) != 0 ||
        ::fstatat(folder_.get(), unfinished.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
        status.st_ino != named.st_ino) {
      return std::nullopt;
    }
    try {
      if (std::optional<Bytes> there = Find()) {  // since we looked
        ::unlinkat(folder_.get(), unfinished.c_str(), 0);
        return there;
      }
      Fill(file);
      if (::renameat(folder_.get(), unfinished.c_str(), folder_.get(), name_.c_str()) != 0) {
        ThrowNoFile(errno, "name a copy", path_);
      }
    } catch (...) {
      ::unlinkat(folder_.get(), unfinished.c_str(), 0);
      throw;
    }
    RemoveOld();
    return Mapped(file);
  }

  std::optional<RangeLock> Lock(const UniqueFd& file) const {
    try {
      return RangeLock::Try(file.get(), 0, LockKind::kExclusive);
    } catch (const Error& error) {
      throw NoFile{error};
    }
  }

  void Fill(const UniqueFd& file) {
    const auto size = static_cast<off_t>(object_.size);
    if (::ftruncate(file.get(), 0) != 0) ThrowNoFile(errno, "cut a copy", path_);
    // All of its room at once: what is missing later would end the process.
    if (const int error = ::posix_fallocate(file.get(), 0, size); error != 0) {
      ThrowNoFile(error, "find room for a copy", path_);
    }
    GetBytesInto(
        store_,
        {.key = key_, .pin = {.etag = object_.etag, .size = object_.size, .version = {}}, .stop = stop_},
        std::make_shared<Filling>(file.get(), object_.size));
    // Before its name: after a restart of the machine it would seem whole.
    if (::fdatasync(file.get()) != 0) ThrowNoFile(errno, "write a copy", path_);
  }

  // Other states of this object, and what nobody opened for long. Who has them mapped goes on reading them.
  void RemoveOld() const {
    const int again = ::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0) return;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(again), &::closedir);
    if (!entries) {
      ::close(again);
      return;
    }
    const time_t oldest = ::time(nullptr) - std::chrono::seconds(rules_.kept).count();
    while (const dirent* entry = ::readdir(entries.get())) {
      const std::string_view name = entry->d_name;
      struct stat status = {};
      if (!name.starts_with(kBegin) || name.starts_with(name_) ||
          ::fstatat(folder_.get(), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;
      }
      const bool replaced = name.starts_with(whose_) && !name.ends_with(kUnfinished);
      if (replaced || status.st_mtime < oldest) ::unlinkat(folder_.get(), entry->d_name, 0);
    }
  }

  ObjectStore& store_;
  const std::string key_;
  const ObjectInfo object_;
  const SharedCopyRules& rules_;
  const std::stop_token stop_;
  const std::string path_;
  const UniqueFd folder_;
  const std::string whose_;  // what names of copies of this object begin with
  const std::string name_;
};

}  // namespace

std::string DefaultCopyFolder() {
  const char* const temporary = std::getenv("TMPDIR");
  const std::string_view base = temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
  return fmt::format("{}/bucketline-{}", base, ::geteuid());
}

Bytes ReadShared(ObjectStore& store, const std::string& key, std::string_view place,
                 const SharedCopyRules& rules, const LogSink& log, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    // What goes wrong here goes wrong below again, with more to say.
    const Result<ObjectInfo> object = Catch([&] { return HeadObject(store, key, stop); });
    if (!object || object->size < rules.least_size || object->size > rules.largest_size ||
        object->etag.empty()) {
      break;
    }
    try {
      return SharedCopy(store, key, *object, place, rules, stop).Get();
    } catch (const NoFile& no) {
      log(LogLevel::kWarning, fmt::format("{} is read into the memory of this process alone: {}",
                                          store.UriOf(key), no.why.what()));
      break;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kObjectChanged || attempt == kAttempts) throw;
    }
  }
  return GetBytes(store, {.key = key, .stop = stop}, rules.largest_size);
}

}  // namespace bucketline
