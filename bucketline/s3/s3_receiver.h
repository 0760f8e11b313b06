// S3Receiver: takes the successful answer of a request, attempt by attempt.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bucketline/http/transport.h"
#include "bucketline/s3/s3_error.h"

namespace bucketline {

// Only 2xx answers come here. Each attempt begins with OnHead; calls of one request never overlap. A failure
// that is returned ends the attempt; its fault decides about another one.
class S3Receiver {
 public:
  virtual ~S3Receiver() = default;
  virtual std::optional<S3Failure> OnHead(const HttpResponseHead& head) = 0;
  virtual std::optional<S3Failure> OnBody(std::span<const uint8_t> data) = 0;
  virtual std::optional<S3Failure> OnEnd() = 0;  // the answer is complete
};

// For answers that are small documents or nothing: collects the body and hands it to `parse` at the end.
class DocumentReceiver : public S3Receiver {
 public:
  static constexpr size_t kMaxBody = size_t{16} << 20;  // 1000 keys of 1024 bytes, each encoded, need 4 MiB

  using Parse = std::function<std::optional<S3Failure>(const HttpResponseHead& head, std::string_view body)>;

  // `context` without the time, for the messages.
  DocumentReceiver(S3ErrorContext context, Parse parse)
      : context_(std::move(context)), parse_(std::move(parse)) {}

  std::optional<S3Failure> OnHead(const HttpResponseHead& head) override;
  std::optional<S3Failure> OnBody(std::span<const uint8_t> data) override;
  std::optional<S3Failure> OnEnd() override;

 private:
  const S3ErrorContext context_;
  const Parse parse_;
  HttpResponseHead head_;
  std::string body_;
};

// What to make of a 2xx document that `parse` could not read: an <Error> in it, a document that broke on the
// way (worth another attempt), or an answer that S3 never gave.
S3Failure FailureOfDocument(const S3ErrorContext& context, const HttpResponseHead& head,
                            std::string_view body, const Error& parse_error);

}  // namespace bucketline
