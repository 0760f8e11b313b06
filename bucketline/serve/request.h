// Request: one HTTP request's head, taken apart as S3 sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bucketline::serve {

struct Request {
  std::string method;  // upper case
  std::string bucket;  // decoded; empty for the service itself
  std::string key;     // decoded once, any bytes; empty for the bucket itself
  std::string path;    // decoded, with its leading "/"
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in the order of the request
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case, values trimmed

  // nullptr when absent; the first one when there are several.
  const std::string* Header(std::string_view name) const;
  const std::string* Query(std::string_view name) const;
};

// Fills path, bucket, key and query from a request target in origin form ("/bucket/key?query").
// Throws S3Failure: InvalidURI, KeyTooLongError (above 1024 bytes).
void ParseTarget(std::string_view target, Request& request);

// A decimal number without sign or blanks, up to 2^64 - 1.
std::optional<uint64_t> ParseNumber(std::string_view text);

// Whether an If-Match or If-None-Match value ("*", or ETags with or without quotes, by commas) names `etag`.
bool NamesETag(std::string_view condition, std::string_view etag);

}  // namespace bucketline::serve
