// One request to a store's bucket that no ObjectStore makes: a new bucket, its versioning.
#pragma once

#include <string>

#include "bucketline/s3/s3_client.h"

namespace bucketline::testing {

// Waits for its end. Throws the Error of an answer that is none of success.
void SendBareRequest(const std::string& bucket, const S3Options& options, S3Request request);

}  // namespace bucketline::testing
