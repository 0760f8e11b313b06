// Operation: which of S3's operations a request asks for.
#pragma once

#include <string_view>

#include "bucketline/serve/request.h"

namespace bucketline {

enum class Operation {
  kListBuckets,
  kCreateBucket,
  kHeadBucket,
  kDeleteBucket,
  kGetBucketLocation,
  kListObjects,
  kGetObject,
  kHeadObject,
  kPutObject,
  kDeleteObject,
  kDeleteObjects,
  kCreateMultipartUpload,
  kUploadPart,
  kCompleteMultipartUpload,
  kAbortMultipartUpload,
  kListParts,
  kUnknown,  // answered with 501 NotImplemented
};
constexpr int kOperations = static_cast<int>(Operation::kUnknown) + 1;

// "ListBuckets", "GetObject", ..., "Unknown".
std::string_view OperationName(Operation operation);

namespace serve {

// kUnknown for what is not served, including what a known operation cannot honour (versions, copies, ...).
Operation OperationOf(const Request& request);

// Its body is an object's or a part's data: it goes through an Upload.
bool TakesData(Operation operation);

// Serving it may wait for a disk or a lock: not on a network thread.
bool MayBlock(Operation operation);

}  // namespace serve
}  // namespace bucketline
