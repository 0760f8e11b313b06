#include <algorithm>
#include <utility>

#include "bucketline/serve/s3_handler.h"
#include "bucketline/serve/xml_answers.h"
#include "bucketline/serve/xml_requests.h"

namespace bucketline::serve {
namespace {

constexpr uint64_t kMaxParts = 10000;

UploadName NameOf(const Request& request) {
  const std::string* id = request.Query("uploadId");
  return {request.bucket, request.key, id != nullptr ? *id : std::string()};
}

int PartNumber(const Request& request) {
  const uint64_t number = ReadNumber(request, "partNumber", 0);
  if (number < 1 || number > kMaxParts) {
    throw S3Failure("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
  }
  return static_cast<int>(number);
}

std::string ContentType(const Request& request) {
  const std::string* type = request.Header("content-type");
  return type != nullptr ? *type : std::string();
}

}  // namespace

std::unique_ptr<Upload> S3Handler::OpenUpload(Operation operation, const Request& request,
                                              std::optional<ChunkSigner> signer) {
  const std::shared_ptr<ObjectStore> store = Bucket(request);
  BodyPromise promise = ReadBodyPromise(request);
  std::unique_ptr<ObjectWriter> writer;
  if (operation == Operation::kUploadPart) {
    writer = uploads_.OpenPart(NameOf(request), PartNumber(request));
  } else {
    WriteCondition condition;
    condition.if_absent = ReadIfAbsent(request);
    condition.content_type = ContentType(request);
    writer = store->OpenWriter(request.key, std::move(condition));
  }
  return std::make_unique<Upload>(std::move(promise), std::move(signer), std::move(writer));
}

Answer S3Handler::FinishUpload(Operation operation, const Request& request, Upload& upload) {
  const ObjectInfo object = upload.Finish();
  if (operation == Operation::kUploadPart) uploads_.Received(NameOf(request), PartNumber(request), object);
  Answer answer = Answer::Empty(200);
  answer.headers.emplace_back("ETag", object.etag);
  return answer;
}

Answer S3Handler::CreateUpload(const Request& request) {
  Bucket(request);
  WriteCondition condition;
  condition.content_type = ContentType(request);
  const std::string id = uploads_.Create(request.bucket, request.key, std::move(condition));
  return Answer::Xml(UploadCreatedXml(request.bucket, request.key, id));
}

Answer S3Handler::CompleteUpload(const Request& request, const std::string& body) {
  const std::shared_ptr<ObjectStore> store = Bucket(request);
  const ObjectInfo object =
      uploads_.Complete(NameOf(request), ParseComplete(body), *store, ReadIfAbsent(request), stop_);
  return Answer::Xml(UploadCompletedXml(request.bucket, request.key, object.etag));
}

Answer S3Handler::AbortUpload(const Request& request) {
  Bucket(request);
  uploads_.Abort(NameOf(request));
  return Answer::Empty(204);
}

Answer S3Handler::ListParts(const Request& request) {
  constexpr uint64_t kMostParts = 1000;
  Bucket(request);
  ListPartsAnswer answer;
  answer.bucket = request.bucket;
  answer.key = request.key;
  answer.upload_id = NameOf(request).upload_id;
  answer.marker = ReadNumber(request, "part-number-marker", 0);
  answer.max_parts = std::clamp<uint64_t>(ReadNumber(request, "max-parts", kMostParts), 1, kMostParts);
  for (PartInfo& part : uploads_.Parts(NameOf(request))) {
    if (static_cast<uint64_t>(part.number) <= answer.marker) continue;
    if (answer.parts.size() == answer.max_parts) {
      answer.truncated = true;
      break;
    }
    answer.parts.push_back(std::move(part));
  }
  return Answer::Xml(PartsXml(answer));
}

}  // namespace bucketline::serve
