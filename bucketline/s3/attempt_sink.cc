#include "bucketline/s3/attempt_sink.h"

#include <algorithm>
#include <utility>

namespace bucketline {

Result<void> AttemptSink::OnHead(const HttpResponseHead& head) {
  status_ = head.status;
  if (!Success()) {
    refusal_ = head;
    return {};
  }
  return Refuse(receiver_->OnHead(head));
}

Result<void> AttemptSink::OnBody(std::span<const uint8_t> data) {
  if (Success()) {
    received_ += data.size();
    return Refuse(receiver_->OnBody(data));
  }
  const size_t room = kMaxErrorBody - error_body_.size();
  error_body_.append(reinterpret_cast<const char*>(data.data()), std::min(room, data.size()));
  // Reading on would cost more than the connection that is given up here.
  if (data.size() > room) return Error(ErrorCode::kUnavailable, "the error document is too long");
  return {};
}

Result<void> AttemptSink::Refuse(std::optional<S3Failure> failure) {
  if (!failure) return {};
  refused_ = std::move(failure);
  return refused_->error;
}

std::optional<S3Failure> AttemptSink::Judge(const Result<HttpTiming>& result) {
  const std::shared_ptr<S3Receiver> receiver = std::move(receiver_);
  if (!result && result.error().code() == ErrorCode::kCancelled)
    return FailureOfTransport(context_, result.error());
  if (refused_) return refused_;
  // The status says enough even when the rest of a refusal got lost.
  if (answered() && !Success()) return FailureOfAnswer(context_, refusal_, error_body_);
  if (!result) return FailureOfTransport(context_, result.error());
  return receiver->OnEnd();
}

}  // namespace bucketline
