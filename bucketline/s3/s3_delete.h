// DELETE of one object.
#pragma once

#include <functional>
#include <string>

#include "bucketline/s3/s3_client.h"

namespace bucketline {

// ObjectStore::Delete.
void StartDelete(S3Client& client, std::string key, std::function<void(Result<void>)> done);

}  // namespace bucketline
