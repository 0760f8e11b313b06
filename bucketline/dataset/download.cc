#include "bucketline/dataset/download.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "bucketline/dataset/part_checksum.h"
#include "bucketline/dataset/pinning.h"
#include "bucketline/dataset/read_ahead.h"
#include "bucketline/exec/parallel.h"

namespace bucketline {
namespace {

constexpr size_t kKeptFailures = 100;

class Copier {
 public:
  Copier(const Dataset& dataset, ObjectStore* target, const DownloadOptions& options, std::stop_token stop)
      : dataset_(dataset),
        target_(target),
        options_(options),
        stop_(std::move(stop)),
        spare_(std::max<size_t>(options.parallel, 1)),
        buffers_(std::make_shared<BufferPool>(2 * spare_.capacity() * options.piece)) {}

  DownloadReport Run() {
    const size_t threads = std::min<size_t>(std::max<size_t>(options_.parallel, 1), dataset_.size());
    RunOnThreads(threads, "bl-get", [this] { CopyUntilDone(); });
    if (stop_.stop_requested()) throw Error(ErrorCode::kCancelled, "the download was stopped");
    return std::move(report_);
  }

 private:
  void CopyUntilDone() {
    const std::optional<Reservation> own = spare_.Acquire(1);  // for others when no object is left
    for (uint64_t index; !stop_.stop_requested() && (index = next_++) < dataset_.size();) {
      Result<ObjectInfo> copied = Catch([&] { return CopyOne(index); });
      std::lock_guard lock(mutex_);
      if (copied.ok() && options_.written) {
        const Result<void> noted = Catch([&] { options_.written(index, *copied); });
        if (!noted) copied = noted.error();
      }
      if (copied.ok()) {
        ++report_.objects;
        if (options_.progress) options_.progress(report_.objects, report_.bytes);
      } else {
        ++report_.failed;
        if (report_.failures.size() < kKeptFailures) {
          report_.failures.push_back(copied.error().WithUri(dataset_.UriAt(index)));
        }
      }
    }
  }

  // What the target says of the copy; nothing of note without a target.
  ObjectInfo CopyOne(uint64_t index) {
    std::unique_ptr<ObjectWriter> writer;
    if (target_ != nullptr) writer = target_->OpenWriter(TargetKey(index));
    for (size_t part = 0; part < dataset_.part_names().size(); ++part) {
      CopyPart(dataset_.PlaceAt(index, part), writer.get());
    }
    return writer ? writer->Commit() : ObjectInfo{};
  }

  void CopyPart(const PartPlace& place, ObjectWriter* writer) {
    if (place.part.length == 0) return;
    GetRequest request = PinnedGet(place.part, place.pin);
    request.stop = stop_;
    ReadAhead reader(*place.store, std::move(request), place.part.length, options_.piece, &spare_, buffers_);
    const auto next = [&] {
      try {
        return reader.Next();
      } catch (const Error& error) {
        throw ExplainPin(error, place.pin);
      }
    };
    Crc32c crc;
    while (const std::optional<Bytes> bytes = next()) {
      if (place.part.crc32c) crc.Update(bytes->span());
      if (writer != nullptr) writer->Write(bytes->span());
      std::lock_guard lock(mutex_);
      report_.bytes += bytes->size();
    }
    if (const std::optional<Error> fault = ChecksumFault(crc, place.part.crc32c)) throw *fault;
  }

  // A dataset of one object has its whole key as prefix: then the last segment is the name.
  std::string TargetKey(uint64_t index) const {
    const std::string key = dataset_.Key(index);
    if (options_.path_start) return options_.target_prefix + key.substr(*options_.path_start);
    const size_t prefix = Runtime::KeyOf(Uri::Parse(dataset_.SourceAt(index))).size();
    std::string relative = key.size() > prefix ? key.substr(prefix) : key.substr(key.rfind('/') + 1);
    if (relative.front() == '/') relative.erase(0, 1);
    return options_.target_prefix + relative;
  }

  const Dataset& dataset_;
  ObjectStore* const target_;
  const DownloadOptions& options_;
  const std::stop_token stop_;
  MemoryBudget spare_;                         // pieces that may be asked for beside one of each thread
  const std::shared_ptr<BufferPool> buffers_;  // theirs, from object to object
  std::atomic<uint64_t> next_{0};
  std::mutex mutex_;  // guards report_
  DownloadReport report_;
};

}  // namespace

DownloadReport Download(const Dataset& dataset, ObjectStore* target, const DownloadOptions& options,
                        std::stop_token stop) {
  return Copier(dataset, target, options, std::move(stop)).Run();
}

}  // namespace bucketline
