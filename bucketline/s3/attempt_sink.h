// AttemptSink: sorts the answer of one attempt: success to the receiver, refusals into a failure.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bucketline/http/transport.h"
#include "bucketline/s3/s3_receiver.h"

namespace bucketline {

// One per attempt. Used by one network thread.
class AttemptSink : public HttpSink {
 public:
  static constexpr size_t kMaxErrorBody = size_t{64} << 10;  // what is read of a refusal

  AttemptSink(S3ErrorContext context, std::shared_ptr<S3Receiver> receiver)
      : context_(std::move(context)), receiver_(std::move(receiver)) {}

  Result<void> OnHead(const HttpResponseHead& head) override;
  Result<void> OnBody(std::span<const uint8_t> data) override;

  // Once, after the exchange has ended: nullopt for success. Lets go of the receiver, and so of the caller's sink: the
  // transport may hold this one a moment longer than the caller's store lives.
  std::optional<S3Failure> Judge(const Result<HttpTiming>& result);

  bool answered() const { return status_ != 0; }
  uint64_t received() const { return received_; }  // bytes of a successful answer's body

 private:
  bool Success() const { return status_ >= 200 && status_ < 300; }
  Result<void> Refuse(std::optional<S3Failure> failure);

  const S3ErrorContext context_;
  std::shared_ptr<S3Receiver> receiver_;  // until Judge
  int status_ = 0;
  HttpResponseHead refusal_;  // with its body
  std::string error_body_;
  std::optional<S3Failure> refused_;
  uint64_t received_ = 0;
};

}  // namespace bucketline
