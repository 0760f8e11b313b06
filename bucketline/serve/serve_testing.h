// What tests of this module share.
#pragma once

#include <functional>
#include <string>

#include "bucketline/serve/s3_failure.h"

namespace bucketline::testing {

// What S3 calls the failure that the call throws; "none" without one.
inline std::string CodeOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const serve::S3Failure& failure) {
    return failure.code();
  }
  return "none";
}

}  // namespace bucketline::testing
