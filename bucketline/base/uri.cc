#include "bucketline/base/uri.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

bool IsBucketCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_';
}

}  // namespace

Uri Uri::Parse(std::string_view text) {
  if (text.empty())
    throw Error(ErrorCode::kInvalidArgument, "an empty URI; give s3://bucket/prefix or a path");
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return {.scheme = "file", .bucket = "", .key = std::string(text)};
  const std::string_view scheme = text.substr(0, colon);
  std::string_view rest = text.substr(colon + 3);
  if (scheme == "file") {
    if (rest.empty() || rest.front() != '/') {
      throw Error(ErrorCode::kInvalidArgument, "a file URI needs an absolute path: file:///path",
                  std::string(text));
    }
    return {.scheme = "file", .bucket = "", .key = std::string(rest)};
  }
  if (scheme != "s3" && scheme != "mem") {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("unknown scheme \"{}\"; use s3://bucket/key, file:///path or a plain path", scheme),
        std::string(text.substr(0, text.find('?'))));  // a presigned URL's query is a secret
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view bucket = rest.substr(0, slash);
  if (bucket.empty() || !std::all_of(bucket.begin(), bucket.end(), IsBucketCharacter)) {
    throw Error(ErrorCode::kInvalidArgument,
                bucket.empty() ? "the bucket name is missing; use s3://bucket/key"
                               : fmt::format("\"{}\" is not a bucket name", bucket),
                std::string(text));
  }
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return {.scheme = std::string(scheme), .bucket = std::string(bucket), .key = std::string(rest)};
}

std::string Uri::ToString() const {
  return scheme == "file" ? key : fmt::format("{}://{}/{}", scheme, bucket, key);
}

Uri Uri::Join(std::string_view name) const {
  Uri joined = *this;
  if (!joined.key.empty() && joined.key.back() != '/') joined.key += '/';
  joined.key += name;
  return joined;
}

}  // namespace bucketline
