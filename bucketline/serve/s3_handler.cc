#include "bucketline/serve/s3_handler.h"

#include <utility>

namespace bucketline::serve {

std::shared_ptr<ObjectStore> S3Handler::Bucket(const Request& request) {
  std::shared_ptr<ObjectStore> store = buckets_.Find(request.bucket);
  if (!store) throw S3Failure("NoSuchBucket", "", {{"BucketName", request.bucket}});
  return store;
}

void S3Handler::Handle(Operation operation, const Request& request, const std::string& body,
                       const Done& done) {
  try {
    switch (operation) {
      case Operation::kListObjects:
        return ListObjects(request, done);
      case Operation::kGetObject:
        return ReadObject(request, false, done);
      case Operation::kHeadObject:
        return ReadObject(request, true, done);
      case Operation::kDeleteObject:
        return Delete(request, done);
      default:
        break;
    }
  } catch (...) {
    const std::exception_ptr thrown = std::current_exception();
    return done(Guard([&thrown]() -> Answer { std::rethrow_exception(thrown); }));
  }
  done(Guard([&] { return HandleNow(operation, request, body); }));
}

Answer S3Handler::HandleNow(Operation operation, const Request& request, const std::string& body) {
  CheckBody(request, body);
  switch (operation) {
    case Operation::kListBuckets:
      return ListBuckets();
    case Operation::kCreateBucket:
      return CreateBucket(request);
    case Operation::kHeadBucket:
      return HeadBucket(request);
    case Operation::kDeleteBucket:
      return DeleteBucket(request);
    case Operation::kGetBucketLocation:
      Bucket(request);
      return Answer::Xml(LocationXml(region_));
    case Operation::kDeleteObjects:
      return DeleteMany(request, body);
    case Operation::kCreateMultipartUpload:
      return CreateUpload(request);
    case Operation::kCompleteMultipartUpload:
      return CompleteUpload(request, body);
    case Operation::kAbortMultipartUpload:
      return AbortUpload(request);
    case Operation::kListParts:
      return ListParts(request);
    default:
      throw S3Failure("NotImplemented");
  }
}

bool ReadIfAbsent(const Request& request) {
  if (request.Header("if-match") != nullptr)
    throw S3Failure("NotImplemented", "If-Match on writes is not served.");
  const std::string* header = request.Header("if-none-match");
  if (header == nullptr) return false;
  if (*header != "*") throw S3Failure("NotImplemented", "On writes, If-None-Match can only be \"*\".");
  return true;
}

uint64_t ReadNumber(const Request& request, const char* name, uint64_t fallback) {
  const std::string* text = request.Query(name);
  if (text == nullptr) return fallback;
  const std::optional<uint64_t> number = ParseNumber(*text);
  constexpr uint64_t kLargest = uint64_t{1} << 31;
  if (!number || *number >= kLargest) {
    throw S3Failure("InvalidArgument", std::string(name) + " must be a number from 0 to 2147483647",
                    {{"ArgumentName", name}, {"ArgumentValue", *text}});
  }
  return *number;
}

}  // namespace bucketline::serve
