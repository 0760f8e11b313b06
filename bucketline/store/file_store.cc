#include "bucketline/store/file_store.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>

#include "bucketline/store/file_lister.h"
#include "bucketline/store/file_paths.h"
#include "bucketline/store/file_reader.h"
#include "bucketline/store/file_root.h"
#include "bucketline/store/file_writer.h"
#include "bucketline/store/posix_error.h"
#include "bucketline/store/store_threads.h"

namespace bucketline {
namespace {

// A folder or nothing at all of that name, or no root, is a success: there is no such object.
void DeleteFile(const std::string& root_path, std::string_view key) {
  try {
    const FileRoot root(root_path);
    const UniqueFd folder = root.Open(FolderOf(key), O_PATH | O_DIRECTORY);
    const std::string name(NameOf(key));
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != EISDIR)
      throw PosixError(errno, "delete it");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
  }
}

class FileStore : public ObjectStore {
 public:
  FileStore(std::string root, size_t threads, FileCommit commit)
      : root_(std::move(root)), commit_(commit), threads_(threads, "bl-filestore") {}

  void List(ListRequest request, std::function<void(Result<ListPage>)> done) override {
    const std::stop_token stop = request.stop;
    const std::string uri = UriOf(request.prefix);
    threads_.Call(
        stop, uri,
        [this, request = std::move(request)](const CallStop& call_stop) {
          return lister_.ListPageOf(root_, request, call_stop);
        },
        std::move(done));
  }

  void Get(GetRequest request, std::shared_ptr<GetSink> sink,
           std::function<void(Result<ObjectInfo>)> done) override {
    const std::stop_token stop = request.stop;
    const std::string uri = UriOf(request.key);
    threads_.Call(
        stop, uri,
        [this, request = std::move(request), sink = std::move(sink)](const CallStop& call_stop) {
          CheckFileKey(request.key);
          return ReadFileObject(FileRoot(root_), request, *sink, call_stop);
        },
        std::move(done));
  }

  void Head(std::string key, std::function<void(Result<ObjectInfo>)> done) override {
    const std::string uri = UriOf(key);
    threads_.Call(
        {}, uri,
        [this, key = std::move(key)](const CallStop&) {
          CheckFileKey(key);
          struct stat status = {};
          OpenObject(FileRoot(root_), key, O_PATH, &status);
          return ObjectOf(key, status);
        },
        std::move(done));
  }

  void Delete(std::string key, std::function<void(Result<void>)> done) override {
    const std::string uri = UriOf(key);
    threads_.Call(
        {}, uri,
        [this, key = std::move(key)](const CallStop&) {
          CheckFileKey(key);
          DeleteFile(root_, key);
        },
        std::move(done));
  }

  std::unique_ptr<ObjectWriter> OpenWriter(std::string key, WriteCondition condition) override {
    std::string uri = UriOf(key);
    const Result<void> allowed = Catch([&] { CheckFileKey(key); });
    if (!allowed.ok()) throw allowed.error().WithUri(uri);
    return MakeFileWriter(root_, std::move(key), condition.if_absent, commit_, std::move(uri));
  }

  std::string UriOf(std::string_view key) const override {
    std::string uri = root_;
    if (!uri.ends_with('/')) uri += '/';
    return uri.append(key);
  }

 private:
  const std::string root_;
  FileLister lister_;
  const FileCommit commit_;
  StoreThreads threads_;  // last: its work uses the rest
};

}  // namespace

std::unique_ptr<ObjectStore> MakeFileStore(std::string root, size_t threads, FileCommit commit) {
  return std::make_unique<FileStore>(std::move(root), threads, commit);
}

}  // namespace bucketline
