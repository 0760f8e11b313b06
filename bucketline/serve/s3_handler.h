// S3Handler: serves S3's operations from buckets; knows no sockets, no signatures and no faults.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/serve/answer.h"
#include "bucketline/serve/buckets.h"
#include "bucketline/serve/chunk_signature.h"
#include "bucketline/serve/multipart_uploads.h"
#include "bucketline/serve/operation.h"
#include "bucketline/serve/request.h"
#include "bucketline/serve/upload.h"

namespace bucketline::serve {

// Thread-safe. `buckets` outlives it; a stop request ends what runs.
class S3Handler {
 public:
  using Done = std::function<void(Answer)>;

  S3Handler(BucketProvider& buckets, std::string region, uint64_t min_part_size, std::stop_token stop)
      : buckets_(buckets),
        region_(std::move(region)),
        uploads_([this] { return buckets_.Staging(); }, min_part_size),
        stop_(std::move(stop)) {}

  // Any operation without TakesData. Calls `done` exactly once, never throws: inside the call or, for List,
  // Get, Head and Delete, on a store's thread. `body` is whole.
  void Handle(Operation operation, const Request& request, const std::string& body, const Done& done);

  // The two operations with TakesData: what takes the body. Blocks; throws S3Failure, Error.
  std::unique_ptr<Upload> OpenUpload(Operation operation, const Request& request,
                                     std::optional<ChunkSigner> signer);
  // After the last byte: commits. Blocks; throws S3Failure, Error.
  Answer FinishUpload(Operation operation, const Request& request, Upload& upload);

 private:
  std::shared_ptr<ObjectStore> Bucket(const Request& request);  // throws NoSuchBucket
  Answer HandleNow(Operation operation, const Request& request, const std::string& body);

  Answer ListBuckets();
  Answer CreateBucket(const Request& request);
  Answer HeadBucket(const Request& request);
  Answer DeleteBucket(const Request& request);
  void ListObjects(const Request& request, const Done& done);

  void ReadObject(const Request& request, bool head_only, const Done& done);
  void Delete(const Request& request, const Done& done);
  Answer DeleteMany(const Request& request, const std::string& body);

  Answer CreateUpload(const Request& request);
  Answer CompleteUpload(const Request& request, const std::string& body);
  Answer AbortUpload(const Request& request);
  Answer ListParts(const Request& request);

  BucketProvider& buckets_;
  const std::string region_;
  MultipartUploads uploads_;
  const std::stop_token stop_;
};

// "If-None-Match: *" of a write. Throws S3Failure NotImplemented for other write conditions.
bool ReadIfAbsent(const Request& request);

// An unsigned query parameter, `fallback` when absent. Throws S3Failure InvalidArgument.
uint64_t ReadNumber(const Request& request, const char* name, uint64_t fallback);

}  // namespace bucketline::serve
