// The error map: what a store's refusal means to us, whether another attempt may help, and what to tell the
// user.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bucketline/base/error.h"
#include "bucketline/http/transport.h"

namespace bucketline {

// What another attempt could do about a failure; s3/retry_policy.h decides.
enum class S3Fault {
  kFinal,        // nothing
  kTransient,    // may succeed at once
  kThrottled,    // may succeed when fewer requests are sent
  kClockSkew,    // may succeed when signed with the server's time
  kRegion,       // may succeed in the region where the bucket is
  kCredentials,  // may succeed when signed with renewed credentials
};

struct S3Failure {
  Error error;
  S3Fault fault = S3Fault::kFinal;
  std::string s3_code = {};                  // "NoSuchKey", ...; "" when the answer had none
  std::optional<Duration> retry_after = {};  // what the server asked for
  std::optional<WallTime> server_time = {};  // of a clock-skew failure
  std::string region = {};                   // where the store says that the bucket is; "" when it does not
};

// What the messages need to know about the request that failed.
struct S3ErrorContext {
  std::string uri;           // s3://bucket/key
  std::string endpoint_url;  // https://host
  std::string bucket;
  std::string region;
  std::string method;
  bool anonymous = false;
  bool requester_pays = false;
  bool if_match = false;          // 412 and 501 are about the pinned ETag
  bool if_absent = false;         // 412 means that the object exists
  bool completes_upload = false;  // a conflict cannot be repeated
  WallTime now{};                 // of this machine
  WallTime signed_at{};           // what the request was signed with: `now`, corrected
};

// Of an answer whose status is not 2xx, or of an error document in a 2xx answer (status 200). `body` may be
// cut.
S3Failure FailureOfAnswer(const S3ErrorContext& context, const HttpResponseHead& head, std::string_view body);

// Of an exchange without a usable answer.
S3Failure FailureOfTransport(const S3ErrorContext& context, const Error& error);

// There were no credentials to sign the request with.
S3Failure FailureOfCredentials(const S3ErrorContext& context, const Error& error);

// A 2xx answer that is not what S3 sends: HTML of a proxy, JSON of another service.
S3Failure FailureOfForeignAnswer(const S3ErrorContext& context, const HttpResponseHead& head);

// x-amz-request-id, or "" .
std::string RequestIdOf(const HttpHeaders& headers);

}  // namespace bucketline
