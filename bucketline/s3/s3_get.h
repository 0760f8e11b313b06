// GetReceiver: puts the bytes of one ranged GET where the caller's sink says, after the head has been
// verified.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bucketline/s3/checksum.h"
#include "bucketline/s3/s3_client.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// GET with If-Match for pin.etag, versionId for pin.version, and Range unless the whole object is wanted. Not
// for empty ranges, which HTTP cannot say: those are answered from a HEAD. With `verify` it asks for the
// object's checksum.
S3Request MakeGetRequest(const GetRequest& request, bool verify);

class GetReceiver : public S3Receiver {
 public:
  GetReceiver(S3ErrorContext context, GetRequest request, std::shared_ptr<GetSink> sink)
      : context_(std::move(context)), request_(std::move(request)), sink_(std::move(sink)) {}

  std::optional<S3Failure> OnHead(const HttpResponseHead& head) override;
  std::optional<S3Failure> OnBody(std::span<const uint8_t> data) override;
  std::optional<S3Failure> OnEnd() override;

  const ObjectInfo& object() const { return object_; }  // after success
  bool answered() const { return answered_; }           // any thread, any time: a head was taken

 private:
  std::optional<S3Failure> CheckRange(const HttpResponseHead& head, uint64_t& whole_size) const;
  std::optional<S3Failure> CheckSame(const ObjectInfo& object) const;
  std::optional<S3Failure> CheckSum();
  S3Failure Bad(ErrorCode code, std::string message, S3Fault fault) const;

  const S3ErrorContext context_;
  const GetRequest request_;
  const std::shared_ptr<GetSink> sink_;
  ObjectInfo object_;
  std::atomic<bool> answered_ = false;
  bool begun_ = false;  // object_ is what an earlier attempt told the sink
  std::span<uint8_t> memory_;
  size_t filled_ = 0;
  std::optional<ChecksumCheck> sum_;  // of the whole object, when the store gave one for exactly these bytes
  int wrong_sums_ = 0;
};

// ObjectStore::Get.
void StartGet(std::shared_ptr<S3Client> client, GetRequest request, std::shared_ptr<GetSink> sink,
              std::function<void(Result<ObjectInfo>)> done);

}  // namespace bucketline
