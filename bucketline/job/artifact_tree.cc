#include "bucketline/job/artifact_tree.h"

#include <cerrno>
#include <filesystem>
#include <map>

#include <fmt/format.h>
#include <sys/stat.h>

#include "bucketline/base/error.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

namespace fs = std::filesystem;

class Collector {
 public:
  void AddFolder(const std::string& folder, const std::string& prefix) {
    std::error_code failure;
    fs::directory_iterator entry(folder, failure);
    for (const fs::directory_iterator end; !failure && entry != end; entry.increment(failure)) {
      AddEntry(entry->path().string(), prefix + entry->path().filename().string());
    }
    if (failure) throw PosixError(failure.value(), "list this folder", folder);
  }

  ArtifactTree Take() {
    for (auto& [name, entry] : entries_) tree_.entries.push_back(std::move(entry));
    return std::move(tree_);
  }

 private:
  void AddEntry(const std::string& path, const std::string& name) {
    struct stat status;
    if (lstat(path.c_str(), &status) != 0) throw PosixError(errno, "look at this file", path);
    ArtifactEntry entry{
        .name = name, .path = path, .mode = status.st_mode & 07777U, .modified = status.st_mtime};
    if (S_ISDIR(status.st_mode)) {
      entry.kind = ArtifactKind::kFolder;
    } else if (S_ISLNK(status.st_mode)) {
      entry.kind = ArtifactKind::kLink;
      entry.target = fs::read_symlink(path).string();
    } else if (S_ISREG(status.st_mode)) {
      entry.size = static_cast<uint64_t>(status.st_size);
    } else {
      tree_.skipped.push_back(path);
      return;
    }
    const bool is_folder = entry.kind == ArtifactKind::kFolder;
    const auto [place, is_new] = entries_.emplace(name, std::move(entry));
    if (!is_new && !(is_folder && place->second.kind == ArtifactKind::kFolder)) {
      throw Error(ErrorCode::kAlreadyExists,
                  fmt::format("two hosts have written \"{}\", and they share one output: the other is {}",
                              name, place->second.path),
                  path);
    }
    if (is_folder) AddFolder(path, name + "/");
  }

  std::map<std::string, ArtifactEntry> entries_;
  ArtifactTree tree_;
};

}  // namespace

ArtifactTree CollectArtifacts(const std::vector<std::string>& folders) {
  Collector collector;
  for (const std::string& folder : folders) collector.AddFolder(folder, "");
  return collector.Take();
}

}  // namespace bucketline
