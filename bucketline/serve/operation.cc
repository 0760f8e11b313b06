#include "bucketline/serve/operation.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace bucketline {

std::string_view OperationName(Operation operation) {
  static constexpr std::array<std::string_view, kOperations> kNames = {"ListBuckets",
                                                                       "CreateBucket",
                                                                       "HeadBucket",
                                                                       "DeleteBucket",
                                                                       "GetBucketLocation",
                                                                       "ListObjects",
                                                                       "GetObject",
                                                                       "HeadObject",
                                                                       "PutObject",
                                                                       "DeleteObject",
                                                                       "DeleteObjects",
                                                                       "CreateMultipartUpload",
                                                                       "UploadPart",
                                                                       "CompleteMultipartUpload",
                                                                       "AbortMultipartUpload",
                                                                       "ListParts",
                                                                       "Unknown"};
  return kNames[static_cast<size_t>(operation)];
}

namespace serve {
namespace {

// Nothing in the query but these, "x-id" (SDKs name the operation there) and a signature.
bool QueryIsOnly(const Request& request, std::initializer_list<std::string_view> names) {
  return std::ranges::all_of(request.query, [&](const auto& parameter) {
    return std::ranges::find(names, parameter.first) != names.end() || parameter.first == "x-id" ||
           parameter.first.starts_with("X-Amz-");
  });
}

// What the request wants done in a way that this endpoint cannot honour.
bool AsksForMore(const Request& request) {
  return std::ranges::any_of(request.headers, [](const auto& header) {
    const std::string& name = header.first;
    return name.starts_with("x-amz-copy-source") ||
           name.starts_with("x-amz-server-side-encryption-customer") ||
           name.starts_with("x-amz-object-lock") || name == "x-amz-tagging" ||
           name == "x-amz-write-offset-bytes";
  });
}

Operation BucketOperation(const Request& request) {
  const std::string& method = request.method;
  if (method == "GET" && request.Query("location") != nullptr && QueryIsOnly(request, {"location"})) {
    return Operation::kGetBucketLocation;
  }
  if (method == "GET" &&
      QueryIsOnly(request, {"list-type", "prefix", "delimiter", "start-after", "continuation-token",
                            "max-keys", "encoding-type", "fetch-owner"})) {
    const std::string* type = request.Query("list-type");
    return type != nullptr && *type == "2" ? Operation::kListObjects : Operation::kUnknown;
  }
  if (method == "POST" && request.Query("delete") != nullptr && QueryIsOnly(request, {"delete"})) {
    return Operation::kDeleteObjects;
  }
  if (!QueryIsOnly(request, {})) return Operation::kUnknown;
  if (method == "PUT") return Operation::kCreateBucket;
  if (method == "HEAD") return Operation::kHeadBucket;
  if (method == "DELETE") return Operation::kDeleteBucket;
  return Operation::kUnknown;
}

Operation UploadOperation(const Request& request) {
  const std::string& method = request.method;
  if (method == "POST" && QueryIsOnly(request, {"uploads"})) return Operation::kCreateMultipartUpload;
  if (method == "PUT" && QueryIsOnly(request, {"uploadId", "partNumber"})) return Operation::kUploadPart;
  if (method == "POST" && QueryIsOnly(request, {"uploadId"})) return Operation::kCompleteMultipartUpload;
  if (method == "DELETE" && QueryIsOnly(request, {"uploadId"})) return Operation::kAbortMultipartUpload;
  if (method == "GET" && QueryIsOnly(request, {"uploadId", "max-parts", "part-number-marker"})) {
    return Operation::kListParts;
  }
  return Operation::kUnknown;
}

Operation ObjectOperation(const Request& request) {
  if (request.Query("uploads") != nullptr || request.Query("uploadId") != nullptr)
    return UploadOperation(request);
  if (!QueryIsOnly(request, {})) return Operation::kUnknown;
  const std::string& method = request.method;
  if (method == "GET") return Operation::kGetObject;
  if (method == "HEAD") return Operation::kHeadObject;
  if (method == "PUT") return Operation::kPutObject;
  if (method == "DELETE") return Operation::kDeleteObject;
  return Operation::kUnknown;
}

}  // namespace

Operation OperationOf(const Request& request) {
  if (AsksForMore(request)) return Operation::kUnknown;
  if (!request.key.empty()) return ObjectOperation(request);
  if (!request.bucket.empty()) return BucketOperation(request);
  return request.method == "GET" && QueryIsOnly(request, {}) ? Operation::kListBuckets : Operation::kUnknown;
}

bool TakesData(Operation operation) {
  return operation == Operation::kPutObject || operation == Operation::kUploadPart;
}

bool MayBlock(Operation operation) {
  switch (operation) {
    case Operation::kHeadBucket:
    case Operation::kGetBucketLocation:
    case Operation::kListObjects:
    case Operation::kGetObject:
    case Operation::kHeadObject:
    case Operation::kDeleteObject:
    case Operation::kUnknown:
      return false;
    default:
      return true;
  }
}

}  // namespace serve
}  // namespace bucketline
