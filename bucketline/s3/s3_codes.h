// The table of S3 error codes.
#pragma once

#include <string_view>

#include "bucketline/base/error.h"
#include "bucketline/s3/s3_error.h"

namespace bucketline {

// Which sentence of advice a failure gets (s3_error.cc writes them).
enum class Remedy {
  kNone,
  kNoSuchKey,
  kNoSuchBucket,
  kNoSuchUpload,
  kAccessDenied,
  kWrongSecret,
  kUnknownKeyId,
  kExpiredToken,
  kWrongRegion,
  kClock,
  kChanged,
  kArchived,
};

struct S3CodeMeaning {
  ErrorCode code = ErrorCode::kInternal;
  S3Fault fault = S3Fault::kFinal;
  Remedy remedy = Remedy::kNone;
};

// By the S3 code when it is known, else by the HTTP status.
S3CodeMeaning MeaningOf(std::string_view s3_code, int status);

}  // namespace bucketline
