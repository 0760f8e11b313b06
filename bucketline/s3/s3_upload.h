// S3Upload: one multipart upload. What it sends becomes visible by Complete only.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bucketline/s3/s3_client.h"
#include "bucketline/s3/s3_xml.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Not thread-safe: one writer uses it. Methods block, and throw Error.
class S3Upload {
 public:
  static constexpr size_t kMaxParts = 10'000;  // S3's limit
  static constexpr size_t kInFlight = 2;       // parts that are sent at a time

  // Creates the upload at the store. A stop request by the condition ends every wait, here and below, with kCancelled.
  S3Upload(std::shared_ptr<S3Client> client, std::string key, const WriteCondition& condition);

  // Takes the next part; waits while kInFlight are under way. Throws the failure of any part before.
  void Add(Bytes part);

  // Waits for all parts, then makes the object; its ETag.
  std::string Complete();

  // Lets the parts under way end, unless one has failed or a stop is asked for, and tells the store to forget all; waits for
  // at most a few seconds. Never throws.
  void Abort();

 private:
  struct Parts {
    std::mutex mutex;
    std::condition_variable changed;
    size_t in_flight = 0;
    std::vector<UploadedPart> list;
    std::optional<Error> failure;
  };

  S3Request Request(std::string method) const;
  void WaitForParts(size_t in_flight);

  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const bool if_absent_;
  std::string upload_id_;
  uint64_t size_ = 0;
  uint64_t sum_ = 0;  // CRC-64 of all parts so far, when checksums are sent
  std::stop_source stop_;
  const std::stop_token asked_to_stop_;                             // by the condition
  std::stop_callback<std::function<void()>> on_stop_;               // passes it on to stop_
  const std::shared_ptr<Parts> parts_ = std::make_shared<Parts>();  // shared with the parts' completions
};

// The ETag that S3 gives a multipart object made of parts with these ETags: md5 of their md5s, "-", their
// number.
// "" when one of them is no md5 (encrypted objects, other stores).
std::string MultipartEtag(const std::vector<UploadedPart>& parts);

// After a retried write was refused: whether the object at `key` is the one that was to be written, so that
// an earlier attempt, whose answer got lost, has succeeded. False when in doubt.
bool WasWritten(S3Client& client, const std::string& key, uint64_t size, const std::string& etag);

}  // namespace bucketline
