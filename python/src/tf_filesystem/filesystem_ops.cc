#include "src/tf_filesystem/filesystem_ops.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "src/tf_filesystem/engine.h"
#include "src/tf_filesystem/folders.h"
#include "src/tf_filesystem/glob.h"
#include "src/tf_filesystem/object_file.h"
#include "src/tf_filesystem/object_reader.h"
#include "src/tf_filesystem/owned_memory.h"
#include "src/tf_filesystem/status.h"
#include "src/tf_filesystem/transfer.h"

#include "bucketline/store/blocking.h"

namespace bucketline::tf {
namespace {

Place Locate(const Filesystem* filesystem, const char* path) {
  return static_cast<Engine*>(filesystem->self)->Locate(path);
}

Place LocateFile(const Filesystem* filesystem, const char* path) {
  Place place = Locate(filesystem, path);
  if (place.key.empty() || place.key.ends_with('/')) {
    throw Error(ErrorCode::kInvalidArgument, "this names a folder, not a file", path);
  }
  return place;
}

void NewRandomAccessFile(const Filesystem* filesystem, const char* path, RandomAccessFile* file,
                         Status* status) {
  Tell(status, [&] { file->self = new ObjectReader(LocateFile(filesystem, path)); });
}

void NewWritableFile(const Filesystem* filesystem, const char* path, WritableFile* file, Status* status) {
  Tell(status, [&] { file->self = new ObjectFile(LocateFile(filesystem, path)); });
}

void NewAppendableFile(const Filesystem*, const char* path, WritableFile*, Status* status) {
  Tell(status, [&] {
    throw Error(
        ErrorCode::kUnsupported,
        "objects cannot be appended to; write the whole file anew, or append to a local one and copy it",
        path);
  });
}

void CreateDir(const Filesystem* filesystem, const char* path, Status* status) {
  Tell(status, [&] { Locate(filesystem, path); });  // folders need no making
}

void DeleteFile(const Filesystem* filesystem, const char* path, Status* status) {
  Tell(status, [&] { DeleteOne(LocateFile(filesystem, path)); });
}

void DeleteDir(const Filesystem* filesystem, const char* path, Status* status) {
  const bool empty = Tell(status, true, [&] {
    const Place place = Locate(filesystem, path);
    const ListPage page = ListOnePage(*place.store, {.prefix = place.folder(), .max_keys = 2});
    for (const ObjectInfo& object : page.objects) {
      if (object.key != place.folder()) return false;
    }
    if (!page.objects.empty())
      DeleteObject(*place.store, place.folder());  // an object that stands for the folder
    return true;
  });
  if (!empty) SetStatus(status, StatusCode::kFailedPrecondition, "the folder is not empty");
}

void DeleteRecursively(const Filesystem* filesystem, const char* path, uint64_t* undeleted_files,
                       uint64_t* undeleted_dirs, Status* status) {
  *undeleted_files = 0;
  *undeleted_dirs = 1;
  Tell(status, [&] {
    const Place place = Locate(filesystem, path);
    const std::vector<ObjectInfo> objects = ListAll(*place.store, place.folder());
    if (objects.empty()) {
      DeleteOne(place);
    } else {
      const Deletion deletion = DeleteAll(place, objects);
      *undeleted_files = deletion.failed;
      if (deletion.first_failure) throw *deletion.first_failure;
    }
    *undeleted_dirs = 0;
  });
}

void RenameFile(const Filesystem* filesystem, const char* source, const char* target, Status* status) {
  Tell(status, [&] { Rename(Locate(filesystem, source), Locate(filesystem, target)); });
}

void CopyFile(const Filesystem* filesystem, const char* source, const char* target, Status* status) {
  Tell(status, [&] { CopyOne(LocateFile(filesystem, source), LocateFile(filesystem, target)); });
}

void PathExists(const Filesystem* filesystem, const char* path, Status* status) {
  Tell(status, [&] { Find(Locate(filesystem, path)); });
}

void Stat(const Filesystem* filesystem, const char* path, FileStatistics* statistics, Status* status) {
  Tell(status, [&] {
    const Found found = Find(Locate(filesystem, path));
    const auto modified = found.object.last_modified.time_since_epoch();
    *statistics = {.length = static_cast<int64_t>(found.object.size),
                   .mtime_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(modified).count(),
                   .is_directory = found.is_folder};
  });
}

bool IsDirectory(const Filesystem* filesystem, const char* path, Status* status) {
  const auto found = Tell(status, std::optional<bool>(),
                          [&] { return std::optional(Find(Locate(filesystem, path)).is_folder); });
  if (found == false) SetStatus(status, StatusCode::kFailedPrecondition, "this is an object, not a folder");
  return found.value_or(false);
}

int64_t GetFileSize(const Filesystem* filesystem, const char* path, Status* status) {
  return Tell(status, int64_t{-1}, [&] {
    const Place place = LocateFile(filesystem, path);
    return static_cast<int64_t>(HeadObject(*place.store, place.key).size);
  });
}

int GetChildren(const Filesystem* filesystem, const char* path, char*** names, Status* status) {
  return Tell(status, -1, [&] {
    const Place place = Locate(filesystem, path);
    std::vector<std::string> found;
    for (Child& child : ListChildren(place, place.folder())) found.push_back(std::move(child.name));
    if (found.empty() && !IsFolder(place)) {
      throw Error(ErrorCode::kNotFound, "no such folder: no key lies below it", path);
    }
    return Give(found, names);
  });
}

int GetMatchingPaths(const Filesystem* filesystem, const char* pattern, char*** names, Status* status) {
  return Tell(status, -1, [&] {
    const Place place = Locate(filesystem, pattern);
    std::vector<std::string> found = Glob(place);
    for (std::string& key : found) key = place.store->UriOf(key);
    return Give(found, names);
  });
}

}  // namespace

FilesystemOps FilesystemOpsWith(void (*init)(Filesystem*, Status*)) {
  return {
      .init = init,
      .cleanup = [](Filesystem* filesystem) { delete static_cast<Engine*>(filesystem->self); },
      .new_random_access_file = NewRandomAccessFile,
      .new_writable_file = NewWritableFile,
      .new_appendable_file = NewAppendableFile,
      .new_memory_region = nullptr,
      .create_dir = CreateDir,
      .recursively_create_dir = CreateDir,
      .delete_file = DeleteFile,
      .delete_dir = DeleteDir,
      .delete_recursively = DeleteRecursively,
      .rename_file = RenameFile,
      .copy_file = CopyFile,
      .path_exists = PathExists,
      .paths_exist = nullptr,
      .stat = Stat,
      .is_directory = IsDirectory,
      .get_file_size = GetFileSize,
      .translate_name = [](const Filesystem*, const char* uri) { return GiveText(uri); },  // keys are literal
      .get_children = GetChildren,
      .get_matching_paths = GetMatchingPaths,
  };
}

}  // namespace bucketline::tf
