#include "bucketline/job/checkpoint_sync.h"

#include <condition_variable>
#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>

#include "bucketline/base/error.h"
#include "bucketline/base/result.h"
#include "bucketline/dataset/download.h"
#include "bucketline/exec/thread_pool.h"
#include "bucketline/job/artifact_upload.h"
#include "bucketline/store/blocking.h"
#include "bucketline/store/file_store.h"
#include "bucketline/store/posix_error.h"

namespace bucketline {
namespace {

std::string PrefixOf(const std::string& uri) {
  std::string key = Runtime::KeyOf(Uri::Parse(uri));
  if (!key.empty() && key.back() != '/') key += '/';
  return key;
}

// The objects below the prefix; nothing for a job that has none yet.
std::optional<Dataset> OpenCheckpoints(Runtime& runtime, Uri uri, const std::string& prefix,
                                       const std::stop_token& stop) {
  uri.key = prefix;
  try {
    const Dataset all = Dataset::Open(runtime, uri.ToString(),
                                      {.extensions = {}, .s3 = {}, .listing_progress = {}, .stop = stop});
    return all.Filter([](std::string_view key) { return !key.ends_with('/'); });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    return std::nullopt;
  }
}

}  // namespace

CheckpointSync::CheckpointSync(Runtime& runtime, const std::string& uri, std::vector<std::string> folders,
                               const CheckpointOptions& options, const std::stop_token& stop)
    : options_(options), store_(runtime.StoreFor(Uri::Parse(uri))), prefix_(PrefixOf(uri)) {
  for (std::string& folder : folders) hosts_.push_back({std::move(folder), {}, {}});
  Restore(runtime, uri, stop);
  thread_ = StartThread("bl-checkpoints", [this, token = stop_.get_token()] { Run(token); });
}

CheckpointSync::~CheckpointSync() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void CheckpointSync::Restore(Runtime& runtime, const std::string& uri, const std::stop_token& stop) {
  const std::optional<Dataset> objects = OpenCheckpoints(runtime, Uri::Parse(uri), prefix_, stop);
  if (!objects) return;
  for (Host& host : hosts_) {
    const std::unique_ptr<ObjectStore> target =
        MakeFileStore(host.folder, kFileThreads, FileCommit::kVisible);
    const DownloadReport report = Download(*objects, target.get(), {}, stop);
    if (report.failed > 0) throw report.failures.front();
    counts_.restored += report.objects;
    host.synced = host.seen = Look(host.folder);
  }
}

void CheckpointSync::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const auto stopped = [&] { return stop.stop_requested(); };
  while (!wake.wait_for(lock, stop, options_.interval, stopped) && !stopped()) {
    SyncAll(false, stop, [this](const Error& error) {
      options_.log(LogLevel::kWarning, fmt::format("a checkpoint is tried again soon: {}", error.what()));
    });
  }
}

void CheckpointSync::Finish(const std::stop_token& stop) {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
  std::optional<Error> first;
  SyncAll(true, stop, [&](const Error& error) {
    if (!first) first = error;
  });
  if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "stopped on request");
  if (first) throw *std::move(first);
}

void CheckpointSync::SyncAll(bool last, const std::stop_token& stop,
                             const std::function<void(const Error&)>& failed) {
  std::lock_guard lock(sync_mutex_);
  for (Host& host : hosts_) SyncHost(host, last, stop, failed);
}

void CheckpointSync::SyncHost(Host& host, bool last, const std::stop_token& stop,
                              const std::function<void(const Error&)>& failed) {
  const auto count = [this](uint64_t CheckpointCounts::* counter) {
    std::lock_guard lock(counts_mutex_);
    ++(counts_.*counter);
  };
  const auto fail = [&](const Error& error) {
    if (stop.stop_requested()) return;
    count(&CheckpointCounts::failed);
    failed(error);
  };
  // Half a look must not pass for files that were deleted.
  const Result<Versions> look = Catch([&] { return Look(host.folder); });
  if (!look) return fail(look.error());
  const Versions& now = *look;
  for (const auto& [name, version] : now) {
    if (stop.stop_requested()) return;
    const auto synced = host.synced.find(name);
    if (synced != host.synced.end() && synced->second == version) continue;
    const auto seen = host.seen.find(name);
    const bool settled = seen != host.seen.end() && seen->second == version;
    if (!last && !settled) continue;
    const auto uploaded =
        Catch([&, &name = name] { UploadFile(host.folder + "/" + name, *store_, prefix_ + name, stop); });
    if (uploaded) {
      host.synced[name] = version;  // a write since the look makes it another version
      count(&CheckpointCounts::uploaded);
    } else {
      fail(uploaded.error());
    }
  }
  for (auto entry = host.synced.begin(); entry != host.synced.end();) {
    if (stop.stop_requested()) return;
    if (now.contains(entry->first)) {
      ++entry;
      continue;
    }
    const auto deleted = Catch([&] { DeleteObject(*store_, prefix_ + entry->first, stop); });
    if (deleted) {
      entry = host.synced.erase(entry);
      count(&CheckpointCounts::deleted);
    } else {
      fail(deleted.error());
      ++entry;
    }
  }
  host.seen = now;
}

CheckpointSync::Versions CheckpointSync::Look(const std::string& folder) {
  namespace fs = std::filesystem;
  Versions found;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    struct stat status;
    if (stat(entry->path().c_str(), &status) != 0) continue;  // it vanished, or is a link to nothing
    if (!S_ISREG(status.st_mode)) continue;
    found[entry->path().lexically_relative(folder).string()] = {
        .inode = status.st_ino,
        .size = static_cast<uint64_t>(status.st_size),
        .modified_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
  }
  if (failure) throw PosixError(failure.value(), "look into this folder", folder);
  return found;
}

CheckpointCounts CheckpointSync::counts() const {
  std::lock_guard lock(counts_mutex_);
  return counts_;
}

}  // namespace bucketline
