// Signature Version 4, as S3 wants it. Pure: everything, the time included, comes in as a parameter.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/base/hash.h"
#include "bucketline/s3/credentials.h"

namespace bucketline {

using StringPairs = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kEmptyPayloadHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct SigningInput {
  std::string method = "GET";
  std::string host;        // with the port unless it is the scheme's own
  std::string path = "/";  // raw bytes; percent-encoded once, never normalised
  StringPairs query;       // raw
  StringPairs headers;     // besides Host and what signing adds
  std::string payload_hash = std::string(kEmptyPayloadHash);  // hex SHA-256 of the body, or kUnsignedPayload
  Credentials credentials;
  std::string region;
  std::string service = "s3";
  WallTime time{};
};

struct SignedHeaders {
  std::string canonical_request;
  std::string string_to_sign;
  std::string authorization;
  StringPairs headers;         // all to send besides Host: the input's, x-amz-date, ..., Authorization
  std::string path_and_query;  // "/a%20b?x=1": the same encoded text that was signed, for the request line
};

// The derived key of (secret, date, region, service): four HMACs that need not be repeated for each request.
// Keeps the latest. Thread-safe.
class SigningKeyCache {
 public:
  Sha256Digest Get(std::string_view secret, std::string_view date, std::string_view region,
                   std::string_view service);

 private:
  std::mutex mutex_;
  std::string name_;
  Sha256Digest key_{};
};

// Signs every given header except those that travel differently than they were signed (User-Agent,
// Accept-Encoding, Connection, Expect, Transfer-Encoding, x-amzn-trace-id).
SignedHeaders Sign(const SigningInput& input, SigningKeyCache& keys);

// "/path?query" that needs no headers but Host and those of the input, valid for `lifetime` (1 s to 7 days;
// anything else is kInvalidArgument). The payload stays unsigned.
std::string Presign(const SigningInput& input, std::chrono::seconds lifetime);

// Names and values percent-encoded, then sorted bytewise: "a=1&uploads=".
std::string CanonicalQuery(const StringPairs& query);

}  // namespace bucketline
