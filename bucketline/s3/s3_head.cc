#include "bucketline/s3/s3_head.h"

#include <memory>

#include <fmt/format.h>

#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

constexpr size_t kMaxKeyBytes = 1024;

}  // namespace

void CheckKey(const S3Client& client, const std::string& key) {
  if (!key.empty() && key.size() <= kMaxKeyBytes) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("a key has 1 to {} bytes, this one {}", kMaxKeyBytes, key.size()),
              client.UriOf(key));
}

std::optional<S3Failure> ParseObjectHead(const S3ErrorContext& context, const HttpResponseHead& head,
                                         std::optional<uint64_t> size, ObjectInfo& object) {
  if (!size) {
    return S3Failure{Error(ErrorCode::kUnavailable,
                           "the store does not say how large the object is (no Content-Length)", context.uri,
                           head.status, RequestIdOf(head.headers))};
  }
  object.size = *size;
  object.etag = std::string(head.headers.Find("ETag").value_or(""));
  object.version = std::string(head.headers.Find("x-amz-version-id").value_or(""));
  object.last_modified = ParseHttpDate(head.headers.Find("Last-Modified").value_or("")).value_or(WallTime{});
  return std::nullopt;
}

void StartHead(S3Client& client, HeadRequest request, std::function<void(Result<ObjectInfo>)> done) {
  if (auto checked = Catch([&] { CheckKey(client, request.key); }); !checked) {
    return client.Later([done = std::move(done), error = checked.error()] { done(error); });
  }
  S3Request s3;
  s3.method = "HEAD";
  s3.key = request.key;
  if (!request.version.empty()) s3.query.emplace_back("versionId", request.version);
  if (!request.etag.empty()) s3.headers.emplace_back("If-Match", request.etag);
  const S3ErrorContext context = client.ContextOf(s3);
  const auto object = std::make_shared<ObjectInfo>();
  object->key = request.key;
  auto receiver = std::make_shared<DocumentReceiver>(
      context, [context, object](const HttpResponseHead& head, std::string_view) {
        return ParseObjectHead(context, head, head.content_length, *object);
      });
  client.Start(std::move(s3), std::move(receiver), request.stop,
               [object, done = std::move(done)](S3Outcome outcome) {
                 if (outcome.failure) return done(outcome.failure->error);
                 done(std::move(*object));
               });
}

}  // namespace bucketline
