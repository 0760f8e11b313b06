#include "bucketline/s3/s3_delete.h"

#include <memory>

#include "bucketline/s3/s3_head.h"

namespace bucketline {

void StartDelete(S3Client& client, std::string key, std::function<void(Result<void>)> done) {
  if (auto checked = Catch([&] { CheckKey(client, key); }); !checked) {
    return client.Later([done = std::move(done), error = checked.error()] { done(error); });
  }
  S3Request request;
  request.method = "DELETE";
  request.key = std::move(key);
  const auto nothing = [](const HttpResponseHead&, std::string_view) { return std::optional<S3Failure>(); };
  auto receiver = std::make_shared<DocumentReceiver>(client.ContextOf(request), nothing);
  client.Start(std::move(request), std::move(receiver), {}, [done = std::move(done)](S3Outcome outcome) {
    if (!outcome.failure) return done({});
    // S3 answers 204 for what is not there; some stores say so instead.
    const S3Failure& failure = *outcome.failure;
    const bool gone =
        failure.error.http_status() == 404 && (failure.s3_code.empty() || failure.s3_code == "NoSuchKey");
    if (gone) return done({});
    done(failure.error);
  });
}

}  // namespace bucketline
