#include "bucketline/serve/s3_failure.h"

#include <algorithm>
#include <iterator>

namespace bucketline::serve {
namespace {

struct KnownCode {
  std::string_view code;
  int status;
  std::string_view message;
};

constexpr KnownCode kKnownCodes[] = {
    {"AccessDenied", 403, "Access Denied"},
    {"AuthorizationHeaderMalformed", 400, "The authorization header is malformed."},
    {"AuthorizationQueryParametersError", 400, "The signature's query parameters are malformed."},
    {"BadDigest", 400, "The checksum you specified did not match what we received."},
    {"BucketAlreadyOwnedByYou", 409, "The bucket exists already and you own it."},
    {"BucketNotEmpty", 409, "The bucket you tried to delete is not empty."},
    {"EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size."},
    {"EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size."},
    {"IncompleteBody", 400, "You did not provide the number of bytes that Content-Length promised."},
    {"InternalError", 500, "We encountered an internal error. Please try again."},
    {"InvalidAccessKeyId", 403, "The access key id you provided does not exist in our records."},
    {"InvalidArgument", 400, "Invalid Argument"},
    {"InvalidBucketName", 400, "The specified bucket is not valid."},
    {"InvalidDigest", 400, "The Content-MD5 or checksum value you specified is not valid."},
    {"InvalidPart", 400, "One or more of the specified parts could not be found or had another ETag."},
    {"InvalidPartOrder", 400, "The list of parts was not in ascending order."},
    {"InvalidRange", 416, "The requested range is not satisfiable"},
    {"InvalidRequest", 400, "The request is not valid."},
    {"InvalidURI", 400, "Couldn't parse the specified URI."},
    {"KeyTooLongError", 400, "Your key is too long."},
    {"MalformedXML", 400, "The XML you provided was not well-formed or did not match our schema."},
    {"MissingContentLength", 411, "You must provide the Content-Length HTTP header."},
    {"NoSuchBucket", 404, "The specified bucket does not exist"},
    {"NoSuchKey", 404, "The specified key does not exist."},
    {"NoSuchUpload", 404, "The specified upload does not exist; it may have been aborted or completed."},
    {"NotImplemented", 501, "This endpoint does not implement what the request asks for."},
    {"PreconditionFailed", 412, "At least one of the preconditions you specified did not hold."},
    {"RequestHeaderSectionTooLarge", 400, "The request's header section is too large."},
    {"RequestTimeTooSkewed", 403, "The request time differs too much from the server's time."},
    {"ServiceUnavailable", 503, "The service is unavailable. Please try again."},
    {"SignatureDoesNotMatch", 403,
     "The request signature we calculated does not match the signature you provided. Check your key and "
     "signing "
     "method."},
    {"SlowDown", 503, "Please reduce your request rate."},
    {"XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match the body."},
};

const KnownCode* Find(std::string_view code) {
  const auto* found = std::ranges::find(kKnownCodes, code, &KnownCode::code);
  return found == std::end(kKnownCodes) ? nullptr : found;
}

}  // namespace

S3Failure::S3Failure(std::string code, std::string message,
                     std::vector<std::pair<std::string, std::string>> details)
    : code_(std::move(code)), message_(std::move(message)), details_(std::move(details)), status_(500) {
  if (const KnownCode* known = Find(code_)) {
    status_ = known->status;
    if (message_.empty()) message_ = known->message;
  }
}

S3Failure FailureOf(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound:
      return S3Failure("NoSuchKey");
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated:
      return S3Failure("AccessDenied");
    case ErrorCode::kAlreadyExists:
      return S3Failure("PreconditionFailed", "", {{"Condition", "If-None-Match"}});
    case ErrorCode::kInvalidArgument:
      return S3Failure("InvalidArgument", error.message());
    case ErrorCode::kThrottled:
      return S3Failure("SlowDown");
    case ErrorCode::kUnavailable:
    case ErrorCode::kConnection:
    case ErrorCode::kTimeout:
    case ErrorCode::kCancelled:
      return S3Failure("ServiceUnavailable");
    case ErrorCode::kUnsupported:
      return S3Failure("NotImplemented", error.message());
    case ErrorCode::kObjectChanged:
    case ErrorCode::kCorruptData:
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return S3Failure("InternalError");
  }
  return S3Failure("InternalError");
}

}  // namespace bucketline::serve
