#include "bucketline/channel/file_channel.h"

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/statvfs.h>

#include "bucketline/base/error.h"
#include "bucketline/base/units.h"
#include "bucketline/channel/file_index.h"
#include "bucketline/channel/local_paths.h"
#include "bucketline/channel/mount_paths.h"
#include "bucketline/dataset/download.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/file_store.h"
#include "bucketline/store/make_folder.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

// What a copy is of: changes with the object.
std::string SourceText(const Dataset& dataset, uint64_t index) {
  const RecordPart part = dataset.RecordAt(index).parts[0];
  return fmt::format("{} {} {} {}", part.length, part.etag, part.version, dataset.UriAt(index));
}

size_t PathStartOf(const ChannelSpec& spec, const ChannelObjects& objects) {
  if (spec.data != ChannelData::kS3Prefix) return objects.path_start();
  return StartOfFolder(objects.objects()).value_or(objects.path_start());
}

class ChannelFolder {
 public:
  ChannelFolder(const Dataset& files, size_t path_start, std::string folder, const std::string& index)
      : files_(files),
        path_start_(path_start),
        folder_(MadeFolder(std::move(folder))),
        index_(index.empty() ? folder_ + ".index" : index),
        store_(MakeFileStore(folder_, kFileThreads, FileCommit::kVisible)) {}

  bool IsWhole(uint64_t number) const {
    const std::string path = PathOf(number);
    const std::string source = SourceText(files_, number);
    if (!index_.MayHave(path, source)) return false;
    const Result<ObjectInfo> local = Catch([&] { return HeadObject(*store_, path); });
    return local && index_.Has(path, source, local->etag);
  }

  // Throws kResourceExhausted unless there is room for these objects.
  void CheckRoom(const Dataset& missing) const {
    struct statvfs status{};
    if (statvfs(folder_.c_str(), &status) != 0) throw PosixError(errno, "see how much room is free", folder_);
    const uint64_t block = status.f_frsize;
    const uint64_t have = status.f_bavail * block;
    uint64_t need = 0;
    for (uint64_t i = 0; i < missing.size(); ++i)
      need += (missing.RecordBytes(i) + block - 1) / block * block;
    if (need <= have) return;
    throw Error(
        ErrorCode::kResourceExhausted,
        fmt::format("the channel needs {} here and {} are free: make room, or read it as FastFile or Pipe, "
                    "which keep nothing on disk",
                    FormatByteSize(need), FormatByteSize(have)),
        folder_);
  }

  DownloadReport Fetch(const Dataset& missing, const FileChannelOptions& options) {
    DownloadOptions download;
    download.parallel = options.parallel;
    download.path_start = path_start_;
    download.progress = options.progress;
    download.written = [&](uint64_t number, const ObjectInfo& local) {
      index_.Add(local.key, SourceText(missing, number), local.etag);
    };
    return Download(missing, store_.get(), download, options.objects.stop);
  }

 private:
  static std::string MadeFolder(std::string folder) {
    while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
    MakeFolder(folder);
    return folder;
  }

  std::string PathOf(uint64_t number) const { return files_.Key(number).substr(path_start_); }

  const Dataset& files_;
  const size_t path_start_;
  const std::string folder_;
  FileIndex index_;
  const std::unique_ptr<ObjectStore> store_;
};

}  // namespace

FileChannelReport DownloadChannel(Runtime& runtime, const ChannelSpec& spec, ChannelHost host,
                                  const std::string& folder, const FileChannelOptions& options) {
  const ChannelObjects objects = ChannelObjects::Open(runtime, spec, host, options.objects);
  const Dataset& files = objects.files();
  const size_t path_start = PathStartOf(spec, objects);
  CheckPaths(files, path_start);
  ChannelFolder target(files, path_start, folder, options.index);
  std::vector<uint64_t> numbers;
  for (uint64_t i = 0; i < files.size(); ++i) {
    if (!target.IsWhole(i)) numbers.push_back(i);
  }
  const Dataset missing = files.Select(numbers);
  target.CheckRoom(missing);
  const DownloadReport report = target.Fetch(missing, options);
  if (report.failed > 0) {
    const Error& first = report.failures.front();
    throw Error(first.code(),
                fmt::format("{} ({} of {} objects failed; those that are whole are kept for the next run)",
                            first.message(), report.failed, missing.size()),
                first.uri(), first.http_status(), first.request_id());
  }
  return {.objects = files.size(),
          .kept = files.size() - missing.size(),
          .bytes = files.total_bytes(),
          .downloaded_bytes = report.bytes};
}

}  // namespace bucketline
