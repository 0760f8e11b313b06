#include <algorithm>
#include <filesystem>
#include <mutex>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "bucketline/base/error.h"
#include "bucketline/serve/buckets.h"
#include "bucketline/serve/store_shelf.h"
#include "bucketline/store/file_store.h"

namespace bucketline {
namespace {

namespace fs = std::filesystem;

constexpr char kStagingFolder[] = ".bucketline-serve";

bool IsServedName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 255 && name.front() != '.' && std::ranges::all_of(name, allowed);
}

[[noreturn]] void ThrowIo(const std::string& what, const fs::path& path, const std::error_code& error) {
  const bool denied = error == std::errc::permission_denied || error == std::errc::read_only_file_system;
  throw Error(denied ? ErrorCode::kPermissionDenied : ErrorCode::kIo, what + ": " + error.message(),
              path.string());
}

// Removes a tree of folders that holds nothing else; false, with what is not empty left in place, otherwise.
bool RemoveEmptyFolders(const fs::path& folder) {
  bool empty = true;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const bool is_folder = entry.symlink_status().type() == fs::file_type::directory;
    if (!is_folder || !RemoveEmptyFolders(entry.path())) empty = false;
    if (!empty) return false;
  }
  std::error_code error;
  return fs::remove(folder, error) && !error;
}

// An own folder below the root, held by a lock so that two endpoints never share it; removed at the end.
class StagingFolder {
 public:
  explicit StagingFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) ThrowIo("cannot make the folder for unfinished uploads", path_, error);
    lock_ = open((path_ / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_ < 0)
      ThrowIo("cannot lock the folder for unfinished uploads", path_, {errno, std::generic_category()});
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      close(lock_);
      throw Error(ErrorCode::kResourceExhausted,
                  "another endpoint serves this folder and uploads to it; stop that one first",
                  path_.string());
    }
    fs::remove_all(parts(), error);
    fs::create_directory(parts(), error);
    if (error) {
      close(lock_);
      ThrowIo("cannot make the folder for unfinished uploads", path_, error);
    }
  }
  StagingFolder(const StagingFolder&) = delete;
  StagingFolder& operator=(const StagingFolder&) = delete;
  ~StagingFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    close(lock_);
  }
  fs::path parts() const { return path_ / "parts"; }

 private:
  fs::path path_;
  int lock_ = -1;
};

class FolderBuckets : public BucketProvider {
 public:
  explicit FolderBuckets(std::string root) : root_(std::move(root)) {
    std::error_code error;
    if (!fs::is_directory(root_, error)) {
      throw Error(ErrorCode::kNotFound, "the folder to serve does not exist", root_.string());
    }
  }

  std::vector<BucketInfo> List() override {
    std::vector<BucketInfo> buckets;
    try {
      for (const fs::directory_entry& entry : fs::directory_iterator(root_)) {
        std::string name = entry.path().filename().string();
        if (!IsBucket(name)) continue;
        const auto changed = std::chrono::file_clock::to_sys(entry.last_write_time());
        buckets.push_back({std::move(name), std::chrono::time_point_cast<Duration>(changed)});
      }
    } catch (const fs::filesystem_error& error) {
      ThrowIo("cannot list the served folder", root_, error.code());
    }
    std::ranges::sort(buckets, {}, &BucketInfo::name);
    return buckets;
  }

  std::shared_ptr<ObjectStore> Find(const std::string& name) override {
    if (!IsBucket(name)) return nullptr;
    std::lock_guard lock(mutex_);
    if (std::shared_ptr<ObjectStore> store = shelf_.Find(name)) return store;
    return shelf_.Put(name, MakeFileStore((root_ / name).string()));
  }

  bool Create(const std::string& name) override {
    std::error_code error;
    const bool created = fs::create_directory(root_ / name, error);
    if (error) ThrowIo("cannot make the bucket's folder", root_ / name, error);
    return created;
  }

  BucketRemoval Remove(const std::string& name) override {
    if (!IsBucket(name)) return BucketRemoval::kMissing;
    try {
      if (!RemoveEmptyFolders(root_ / name)) return BucketRemoval::kNotEmpty;
    } catch (const fs::filesystem_error& error) {
      ThrowIo("cannot remove the bucket's folder", root_ / name, error.code());
    }
    std::lock_guard lock(mutex_);
    shelf_.Retire(name);
    return BucketRemoval::kRemoved;
  }

  std::shared_ptr<ObjectStore> Staging() override {
    std::lock_guard lock(mutex_);
    if (!staging_) {
      if (!folder_) folder_ = std::make_unique<StagingFolder>(root_ / kStagingFolder);
      staging_ = MakeFileStore(folder_->parts().string());
    }
    return staging_;
  }

 private:
  bool IsBucket(const std::string& name) const {
    std::error_code error;
    return IsServedName(name) && fs::symlink_status(root_ / name, error).type() == fs::file_type::directory;
  }

  const fs::path root_;
  std::mutex mutex_;
  serve::StoreShelf shelf_;
  std::unique_ptr<StagingFolder> folder_;  // outlives the store in it
  std::shared_ptr<ObjectStore> staging_;
};

}  // namespace

std::unique_ptr<BucketProvider> MakeFolderBuckets(std::string root) {
  return std::make_unique<FolderBuckets>(std::move(root));
}

}  // namespace bucketline
