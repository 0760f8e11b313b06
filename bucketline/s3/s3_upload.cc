#include "bucketline/s3/s3_upload.h"

#include <future>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/crc.h"
#include "bucketline/s3/checksum.h"
#include "bucketline/s3/s3_head.h"

namespace bucketline {
namespace {

constexpr Duration kPartsPatience = std::chrono::seconds(5);
constexpr Duration kAbortPatience = std::chrono::seconds(5);
constexpr Duration kStoppedPatience = std::chrono::seconds(1);  // somebody waits for a stop

// The 16 bytes of a quoted md5.
std::optional<std::string> Md5OfEtag(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  if (etag.size() != 32) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < etag.size(); i += 2) {
    unsigned value = 0;
    for (const char c : etag.substr(i, 2)) {
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        value = value * 16 + static_cast<unsigned>(c - 'a' + 10);
      } else {
        return std::nullopt;
      }
    }
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

}  // namespace

std::string MultipartEtag(const std::vector<UploadedPart>& parts) {
  std::string digests;
  for (const UploadedPart& part : parts) {
    const auto digest = Md5OfEtag(part.etag);
    if (!digest) return {};
    digests += *digest;
  }
  return fmt::format("\"{}-{}\"", Hex(Md5(digests)), parts.size());
}

bool WasWritten(S3Client& client, const std::string& key, uint64_t size, const std::string& etag) {
  if (etag.empty()) return false;
  auto promise = std::make_shared<std::promise<Result<ObjectInfo>>>();
  auto found = promise->get_future();
  StartHead(client, {key}, [promise](Result<ObjectInfo> result) { promise->set_value(std::move(result)); });
  const Result<ObjectInfo> object = found.get();
  return object && object->size == size && object->etag == etag;
}

S3Upload::S3Upload(std::shared_ptr<S3Client> client, std::string key, const WriteCondition& condition)
    : client_(std::move(client)),
      key_(std::move(key)),
      if_absent_(condition.if_absent),
      asked_to_stop_(condition.stop),
      on_stop_(asked_to_stop_, [stop = stop_]() mutable { stop.request_stop(); }) {
  S3Request request = Request("POST");
  request.query = {{"uploads", ""}};
  if (!condition.content_type.empty()) request.headers.emplace_back("Content-Type", condition.content_type);
  if (client_->settings().checksums.send) {
    request.headers.emplace_back("x-amz-checksum-algorithm", kSentAlgorithm);
    request.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  const S3ErrorContext context = client_->ContextOf(request);
  const auto id = std::make_shared<std::string>();
  auto receiver = std::make_shared<DocumentReceiver>(
      context,
      [context, id](const HttpResponseHead& head, std::string_view body) -> std::optional<S3Failure> {
        auto parsed = ParseUploadId(body);
        if (!parsed) return FailureOfDocument(context, head, body, parsed.error());
        *id = std::move(*parsed);
        return std::nullopt;
      });
  const S3Outcome outcome = client_->Run(std::move(request), std::move(receiver), stop_.get_token());
  if (outcome.failure) throw outcome.failure->error;
  upload_id_ = *id;
}

S3Request S3Upload::Request(std::string method) const {
  S3Request request;
  request.method = std::move(method);
  request.key = key_;
  if (!upload_id_.empty()) request.query.emplace_back("uploadId", upload_id_);
  return request;
}

void S3Upload::WaitForParts(size_t in_flight) {
  std::unique_lock lock(parts_->mutex);
  parts_->changed.wait(lock, [&] { return parts_->in_flight <= in_flight; });
  if (parts_->failure) throw *parts_->failure;
}

void S3Upload::Add(Bytes part) {
  WaitForParts(kInFlight - 1);
  S3Request request = Request("PUT");
  UploadedPart uploaded;
  if (client_->settings().checksums.send) {
    Crc64Nvme sum;
    sum.Update(part.span());
    sum_ = Crc64Nvme::Combine(sum_, sum.value(), part.size());
    AddChecksum(request, sum.value());
    uploaded.crc64nvme = Base64Of(sum.value());
  }
  size_t index = 0;
  {
    std::lock_guard lock(parts_->mutex);
    index = parts_->list.size();
    if (index == kMaxParts) {
      throw Error(
          ErrorCode::kResourceExhausted,
          fmt::format("the object would need more than {} parts; raise multipart_part_size", kMaxParts),
          client_->UriOf(key_));
    }
    parts_->list.push_back(std::move(uploaded));
    ++parts_->in_flight;
  }
  size_ += part.size();
  request.query.emplace_back("partNumber", std::to_string(index + 1));
  SetBody(request, std::move(part));
  const S3ErrorContext context = client_->ContextOf(request);
  const auto etag = std::make_shared<std::string>();
  auto receiver = std::make_shared<DocumentReceiver>(
      context, [context, etag](const HttpResponseHead& head, std::string_view) -> std::optional<S3Failure> {
        *etag = std::string(head.headers.Find("ETag").value_or(""));
        if (!etag->empty()) return std::nullopt;
        return S3Failure{Error(ErrorCode::kUnavailable, "the store took a part but gave no ETag for it",
                               context.uri, head.status, RequestIdOf(head.headers))};
      });
  client_->Start(std::move(request), std::move(receiver), stop_.get_token(),
                 [parts = parts_, etag, index](S3Outcome outcome) {
                   std::lock_guard lock(parts->mutex);
                   if (outcome.failure && !parts->failure) parts->failure = outcome.failure->error;
                   parts->list[index].etag = std::move(*etag);
                   --parts->in_flight;
                   parts->changed.notify_all();
                 });
}

std::string S3Upload::Complete() {
  WaitForParts(0);
  S3Request request = Request("POST");
  SetBody(request, Bytes::Copy(CompleteUploadDocument(parts_->list)));
  request.headers.emplace_back("Content-Type", "application/xml");
  request.completes_upload = true;
  if (client_->settings().checksums.send) {
    AddChecksum(request, sum_);
    request.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  if (if_absent_) RequireAbsence(request);
  const S3ErrorContext context = client_->ContextOf(request);
  const auto etag = std::make_shared<std::string>();
  auto receiver = std::make_shared<DocumentReceiver>(
      context,
      [context, etag](const HttpResponseHead& head, std::string_view body) -> std::optional<S3Failure> {
        auto parsed = ParseCompletedEtag(body);
        if (!parsed) return FailureOfDocument(context, head, body, parsed.error());
        *etag = std::move(*parsed);
        return std::nullopt;
      });
  const S3Outcome outcome = client_->Run(std::move(request), std::move(receiver), stop_.get_token());
  std::string expected = MultipartEtag(parts_->list);
  // Ceph RGW 16 completes without naming the ETag, which it makes as S3 does.
  if (!outcome.failure) return etag->empty() ? expected : *etag;
  const S3Failure& failure = *outcome.failure;
  const bool may_be_done = outcome.attempts > 1 && (failure.s3_code == "NoSuchUpload" ||
                                                    failure.error.code() == ErrorCode::kAlreadyExists);
  if (may_be_done && WasWritten(*client_, key_, size_, expected)) return expected;
  throw failure.error;
}

void S3Upload::Abort() {
  const Duration patience = asked_to_stop_.stop_requested() ? kStoppedPatience : kAbortPatience;
  {
    // A part that is cut off may still come to its end at the store, after the upload was forgotten, and would stay.
    std::unique_lock lock(parts_->mutex);
    parts_->changed.wait_for(lock, kPartsPatience, [&] {
      return parts_->in_flight == 0 || parts_->failure || asked_to_stop_.stop_requested();
    });
    lock.unlock();
    stop_.request_stop();
    lock.lock();
    parts_->changed.wait(lock, [&] { return parts_->in_flight == 0; });
  }
  std::stop_source enough;
  Timer& timer = *client_->environment().timer;
  const Timer::Id id = timer.After(patience, [enough](bool) mutable { enough.request_stop(); });
  S3Request request = Request("DELETE");
  const S3ErrorContext context = client_->ContextOf(request);
  const auto nothing = [](const HttpResponseHead&, std::string_view) { return std::optional<S3Failure>(); };
  const S3Outcome outcome = client_->Run(
      std::move(request), std::make_shared<DocumentReceiver>(context, nothing), enough.get_token());
  timer.Cancel(id);
  if (outcome.failure && outcome.failure->error.code() != ErrorCode::kNotFound) {
    client_->environment().log(
        LogLevel::kWarning,
        fmt::format("the parts of an abandoned upload may remain at the store, and cost: {}; a "
                    "lifecycle rule for incomplete uploads removes them",
                    outcome.failure->error.what()));
  }
}

}  // namespace bucketline
