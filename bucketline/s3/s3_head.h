// HEAD: what the store says about an object, without its bytes.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "bucketline/s3/s3_client.h"

namespace bucketline {

struct HeadRequest {
  std::string key;
  std::string etag = {};  // sent as If-Match unless ""
  std::stop_token stop = {};
  std::string version = {};  // "" for the current one
};

void StartHead(S3Client& client, HeadRequest request, std::function<void(Result<ObjectInfo>)> done);

// Fills `object` from the headers of a GET or HEAD; `size` is that of the whole object, a failure when it is
// missing.
std::optional<S3Failure> ParseObjectHead(const S3ErrorContext& context, const HttpResponseHead& head,
                                         std::optional<uint64_t> size, ObjectInfo& object);

// Throws kInvalidArgument for a key that S3 cannot hold: it has 1 to 1024 bytes.
void CheckKey(const S3Client& client, const std::string& key);

}  // namespace bucketline
