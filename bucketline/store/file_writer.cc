#include "bucketline/store/file_writer.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include "bucketline/store/file_paths.h"
#include "bucketline/store/file_root.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

// More at once makes the page cache take memory in runs of megabytes: on a virtual machine whose host takes back what is
// free, 512 MiB in writes of 8 MiB cost 1.65 s of CPU, and 0.47 s in these.
constexpr size_t kLargestWrite = 256 << 10;

// Gives the file its name unless the name is taken; errno as its value, 0 when done.
int RenameIfAbsent(int folder, const std::string& from, const std::string& to) {
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // File systems without that flag (NFS) have links.
  if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) != 0) return errno;
  ::unlinkat(folder, from.c_str(), 0);
  return 0;
}

bool IsFolder(int parent, const std::string& name) {
  struct stat status = {};
  return ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

class FileWriter : public ObjectWriter {
 public:
  FileWriter(const std::string& root, std::string key, bool if_absent, FileCommit commit, std::string uri)
      : root_(root),
        key_(std::move(key)),
        if_absent_(if_absent),
        durable_(commit == FileCommit::kDurable),
        uri_(std::move(uri)) {
    try {
      OpenTemp();
    } catch (const Error&) {
      RemoveMadeFolders();
      throw;
    }
  }

  ~FileWriter() override { FileWriter::Abort(); }

  void Write(std::span<const uint8_t> data) override {
    CheckOpen();
    while (!data.empty()) {
      const ssize_t written = ::write(file_.get(), data.data(), std::min(data.size(), kLargestWrite));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw PosixError(errno, "write it", uri_);
      data = data.subspan(static_cast<size_t>(written));
    }
  }

  ObjectInfo Commit() override {
    CheckOpen();
    try {
      ObjectInfo object = Publish();
      file_.Close();
      return object;
    } catch (const Error& error) {
      Abort();
      throw error.WithUri(uri_);
    }
  }

  void Abort() override {
    if (!file_) return;
    file_.Close();
    ::unlinkat(folder_.get(), temp_name_.c_str(), 0);
    RemoveMadeFolders();
  }

 private:
  void CheckOpen() const {
    if (!file_) throw Error(ErrorCode::kInvalidArgument, "the writer was committed or aborted before", uri_);
  }

  void OpenTemp() {
    // Another writer's Abort may remove an empty folder between making it and using it; then it is made
    // again.
    constexpr int kTries = 10;
    for (int attempt = 1;; ++attempt) {
      try {
        folder_ = root_.MakeFolders(FolderOf(key_), &made_folders_);
        temp_name_ = MakeTempName();
        file_ = UniqueFd(
            ::openat(folder_.get(), temp_name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!file_) throw PosixError(errno, "make a temporary file in its folder");
        return;
      } catch (const Error& error) {
        if (error.code() != ErrorCode::kNotFound || attempt == kTries) throw error.WithUri(uri_);
      }
    }
  }

  ObjectInfo Publish() {
    if (durable_ && ::fsync(file_.get()) != 0) throw PosixError(errno, "flush it to disk");
    const ObjectInfo object = ObjectOf(key_, StatusOf(file_.get()));
    const std::string name(NameOf(key_));
    int failure = if_absent_ ? RenameIfAbsent(folder_.get(), temp_name_, name) : Rename(name);
    if (failure == EEXIST && IsFolder(folder_.get(), name)) failure = EISDIR;
    if (failure == EEXIST) {
      throw Error(ErrorCode::kAlreadyExists, "the object exists already and was not replaced");
    }
    if (failure != 0) throw PosixError(failure, "give the file its name");
    if (durable_) FlushFolders();
    made_folders_.clear();
    return object;
  }

  int Rename(const std::string& name) {
    const bool renamed = ::renameat(folder_.get(), temp_name_.c_str(), folder_.get(), name.c_str()) == 0;
    return renamed ? 0 : errno;
  }

  // Makes the new name, and those of new folders, survive a crash of the machine. The object is visible by
  // now, so a failure here (some file systems cannot flush folders) is not an error of the write.
  void FlushFolders() {
    ::fsync(folder_.get());
    for (const std::string& made : made_folders_) {
      const Result<UniqueFd> parent =
          Catch([&] { return root_.Open(FolderOf(made), O_RDONLY | O_DIRECTORY); });
      if (parent.ok()) ::fsync((*parent).get());
    }
  }

  void RemoveMadeFolders() {
    for (auto it = made_folders_.rbegin(); it != made_folders_.rend(); ++it) {
      ::unlinkat(root_.fd(), it->c_str(), AT_REMOVEDIR);  // fails when others use it, as it should
    }
    made_folders_.clear();
  }

  const FileRoot root_;
  const std::string key_;
  const bool if_absent_;
  const bool durable_;
  const std::string uri_;
  std::vector<std::string> made_folders_;
  UniqueFd folder_;
  std::string temp_name_;
  UniqueFd file_;  // open until Commit or Abort
};

}  // namespace

std::unique_ptr<ObjectWriter> MakeFileWriter(const std::string& root, std::string key, bool if_absent,
                                             FileCommit commit, std::string uri) {
  std::error_code failure;
  std::filesystem::create_directories(root, failure);
  if (failure) throw PosixError(failure.value(), fmt::format("make the folder {}", root), std::move(uri));
  return std::make_unique<FileWriter>(root, std::move(key), if_absent, commit, std::move(uri));
}

}  // namespace bucketline
