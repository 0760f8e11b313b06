#include "bucketline/s3/s3_codes.h"

#include <array>
#include <utility>

namespace bucketline {
namespace {

using Row = std::pair<std::string_view, S3CodeMeaning>;

constexpr S3CodeMeaning kThrottle = {ErrorCode::kThrottled, S3Fault::kThrottled, Remedy::kNone};
constexpr S3CodeMeaning kStoreFailed = {ErrorCode::kUnavailable, S3Fault::kTransient, Remedy::kNone};
constexpr S3CodeMeaning kDamaged = {ErrorCode::kCorruptData, S3Fault::kTransient, Remedy::kNone};
constexpr S3CodeMeaning kDenied = {ErrorCode::kPermissionDenied, S3Fault::kFinal, Remedy::kAccessDenied};
constexpr S3CodeMeaning kExpired = {ErrorCode::kUnauthenticated, S3Fault::kCredentials,
                                    Remedy::kExpiredToken};
constexpr S3CodeMeaning kBadInput = {ErrorCode::kInvalidArgument, S3Fault::kFinal, Remedy::kNone};
constexpr S3CodeMeaning kRegion = {ErrorCode::kInvalidArgument, S3Fault::kRegion, Remedy::kWrongRegion};
constexpr S3CodeMeaning kFull = {ErrorCode::kResourceExhausted, S3Fault::kFinal, Remedy::kNone};

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what other stores send.
constexpr std::array kByCode = {
    Row{"NoSuchKey", {ErrorCode::kNotFound, S3Fault::kFinal, Remedy::kNoSuchKey}},
    Row{"NoSuchVersion", {ErrorCode::kNotFound, S3Fault::kFinal, Remedy::kNoSuchKey}},
    Row{"NoSuchBucket", {ErrorCode::kNotFound, S3Fault::kFinal, Remedy::kNoSuchBucket}},
    Row{"NoSuchUpload", {ErrorCode::kNotFound, S3Fault::kFinal, Remedy::kNoSuchUpload}},
    Row{"AccessDenied", kDenied},
    Row{"AllAccessDisabled", kDenied},
    Row{"AccountProblem", kDenied},
    Row{"NotSignedUp", kDenied},
    Row{"SignatureDoesNotMatch", {ErrorCode::kUnauthenticated, S3Fault::kFinal, Remedy::kWrongSecret}},
    Row{"InvalidAccessKeyId", {ErrorCode::kUnauthenticated, S3Fault::kCredentials, Remedy::kUnknownKeyId}},
    Row{"InvalidClientTokenId", {ErrorCode::kUnauthenticated, S3Fault::kCredentials, Remedy::kUnknownKeyId}},
    Row{"ExpiredToken", kExpired},
    Row{"ExpiredTokenException", kExpired},
    Row{"RequestExpired", kExpired},
    Row{"TokenRefreshRequired", kExpired},
    Row{"InvalidToken", kExpired},
    Row{"AuthorizationHeaderMalformed", kRegion},
    Row{"PermanentRedirect", kRegion},
    Row{"TemporaryRedirect", kRegion},
    Row{"IllegalLocationConstraintException", kRegion},
    Row{"RequestTimeTooSkewed", {ErrorCode::kUnauthenticated, S3Fault::kClockSkew, Remedy::kClock}},
    Row{"PreconditionFailed", {ErrorCode::kObjectChanged, S3Fault::kFinal, Remedy::kChanged}},
    Row{"ConditionalRequestConflict", kStoreFailed},
    Row{"OperationAborted", kStoreFailed},
    Row{"InvalidRange", kBadInput},
    Row{"InvalidObjectState", {ErrorCode::kUnsupported, S3Fault::kFinal, Remedy::kArchived}},
    Row{"NotImplemented", {ErrorCode::kUnsupported, S3Fault::kFinal, Remedy::kNone}},
    Row{"MethodNotAllowed", {ErrorCode::kUnsupported, S3Fault::kFinal, Remedy::kNone}},
    Row{"SlowDown", kThrottle},
    Row{"Throttling", kThrottle},
    Row{"ThrottlingException", kThrottle},
    Row{"ThrottledException", kThrottle},
    Row{"RequestThrottled", kThrottle},
    Row{"RequestThrottledException", kThrottle},
    Row{"TooManyRequests", kThrottle},
    Row{"TooManyRequestsException", kThrottle},
    Row{"RequestLimitExceeded", kThrottle},
    Row{"BandwidthLimitExceeded", kThrottle},
    Row{"LimitExceededException", kThrottle},
    Row{"PriorRequestNotComplete", kThrottle},
    Row{"EC2ThrottledException", kThrottle},
    Row{"ServiceUnavailable", kStoreFailed},
    Row{"IDPCommunicationError", kStoreFailed},
    Row{"InternalError", kStoreFailed},
    Row{"InternalFailure", kStoreFailed},
    Row{"RequestTimeout", {ErrorCode::kTimeout, S3Fault::kTransient, Remedy::kNone}},
    Row{"BadDigest", kDamaged},
    Row{"IncompleteBody", kDamaged},
    Row{"XAmzContentSHA256Mismatch", kDamaged},
    Row{"XAmzContentChecksumMismatch", kDamaged},
    // Stores that keep objects as files: "a" and "a/b" cannot both be there.
    Row{"ObjectParentIsFile", kBadInput},
    Row{"ExistingObjectIsDirectory", kBadInput},
    Row{"XMinioParentIsObject", kBadInput},
    Row{"XMinioObjectExistsAsDirectory", kBadInput},
    Row{"QuotaExceeded", kFull},
    Row{"XMinioStorageFull", kFull},
};

S3CodeMeaning MeaningOfStatus(int status) {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return kRegion;
    case 401:
      return {ErrorCode::kUnauthenticated, S3Fault::kFinal, Remedy::kNone};
    case 403:
      return kDenied;
    case 404:
      return {ErrorCode::kNotFound, S3Fault::kFinal, Remedy::kNone};
    case 405:
    case 501:
      return {ErrorCode::kUnsupported, S3Fault::kFinal, Remedy::kNone};
    case 408:
      return {ErrorCode::kTimeout, S3Fault::kTransient, Remedy::kNone};
    case 412:
      return {ErrorCode::kObjectChanged, S3Fault::kFinal, Remedy::kChanged};
    case 429:
      return kThrottle;
    case 500:
    case 502:
    case 503:
    case 504:
      return kStoreFailed;
    case 507:
      return kFull;
    default:
      break;
  }
  if (status >= 400 && status < 500 && status != 409) return kBadInput;
  return {ErrorCode::kUnavailable, S3Fault::kFinal, Remedy::kNone};
}

}  // namespace

S3CodeMeaning MeaningOf(std::string_view s3_code, int status) {
  for (const auto& [code, meaning] : kByCode) {
    if (code == s3_code) return meaning;
  }
  // "KMS.DisabledException" and its family: the key, not the object, is refused.
  if (s3_code.starts_with("KMS.")) return kDenied;
  // An error document in a 200 answer: the request failed on the store's side.
  if (status < 300) return kStoreFailed;
  return MeaningOfStatus(status);
}

}  // namespace bucketline
