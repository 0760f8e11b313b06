#include "bucketline/s3/s3_receiver.h"

#include "bucketline/s3/s3_xml.h"

namespace bucketline {

std::optional<S3Failure> DocumentReceiver::OnHead(const HttpResponseHead& head) {
  head_ = head;
  body_.clear();
  return std::nullopt;
}

std::optional<S3Failure> DocumentReceiver::OnBody(std::span<const uint8_t> data) {
  if (data.size() > kMaxBody - body_.size()) {
    return S3Failure{Error(ErrorCode::kUnavailable, "the store's answer is longer than any that S3 gives",
                           context_.uri, head_.status, RequestIdOf(head_.headers))};
  }
  body_.append(reinterpret_cast<const char*>(data.data()), data.size());
  return std::nullopt;
}

std::optional<S3Failure> DocumentReceiver::OnEnd() { return parse_(head_, body_); }

S3Failure FailureOfDocument(const S3ErrorContext& context, const HttpResponseHead& head,
                            std::string_view body, const Error& parse_error) {
  if (ParseErrorDocument(body)) return FailureOfAnswer(context, head, body);
  if (!body.empty() && !LooksLikeXml(body)) return FailureOfForeignAnswer(context, head);
  return {
      Error(parse_error.code(), parse_error.message(), context.uri, head.status, RequestIdOf(head.headers)),
      S3Fault::kTransient};
}

}  // namespace bucketline
