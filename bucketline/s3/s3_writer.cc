#include "bucketline/s3/s3_writer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bucketline/base/crc.h"
#include "bucketline/s3/checksum.h"

namespace bucketline {

void S3Writer::CheckOpen() const {
  if (!open_) {
    throw Error(ErrorCode::kInvalidArgument, "the writer was committed or aborted before",
                client_->UriOf(key_));
  }
}

void S3Writer::Write(std::span<const uint8_t> data) {
  CheckOpen();
  const size_t part_size = client_->settings().options.multipart_part_size;
  while (!data.empty()) {
    // Only when more follows: an object of exactly one part is one PUT.
    if (buffer_.size() == part_size) AddPart();
    const size_t n = std::min(part_size - buffer_.size(), data.size());
    buffer_.insert(buffer_.end(), data.begin(), data.begin() + static_cast<ptrdiff_t>(n));
    size_ += n;
    data = data.subspan(n);
  }
}

void S3Writer::AddPart() {
  try {
    if (!upload_) upload_ = std::make_unique<S3Upload>(client_, key_, condition_);
    upload_->Add(Bytes::FromVector(std::exchange(buffer_, {})));
  } catch (...) {
    Abort();
    throw;
  }
}

std::string S3Writer::PutWhole() {
  S3Request request;
  request.method = "PUT";
  request.key = key_;
  SetBody(request, Bytes::FromVector(std::exchange(buffer_, {})));
  if (!condition_.content_type.empty()) request.headers.emplace_back("Content-Type", condition_.content_type);
  if (condition_.if_absent) RequireAbsence(request);
  const Bytes body = request.body;
  if (client_->settings().checksums.send) {
    Crc64Nvme sum;
    sum.Update(body.span());
    AddChecksum(request, sum.value());
  }
  const auto etag = std::make_shared<std::string>();
  auto receiver = std::make_shared<DocumentReceiver>(
      client_->ContextOf(request),
      [etag](const HttpResponseHead& head, std::string_view) -> std::optional<S3Failure> {
        *etag = std::string(head.headers.Find("ETag").value_or(""));
        return std::nullopt;
      });
  const S3Outcome outcome = client_->Run(std::move(request), std::move(receiver), condition_.stop);
  if (!outcome.failure) return *etag;
  if (outcome.attempts > 1 && outcome.failure->error.code() == ErrorCode::kAlreadyExists) {
    const std::string expected = fmt::format("\"{}\"", Hex(Md5(body.view())));
    if (WasWritten(*client_, key_, size_, expected)) return expected;
  }
  throw outcome.failure->error;
}

ObjectInfo S3Writer::Commit() {
  CheckOpen();
  ObjectInfo object;
  object.key = key_;
  object.size = size_;
  if (!upload_) {
    open_ = false;
    object.etag = PutWhole();
  } else {
    if (!buffer_.empty()) AddPart();
    try {
      object.etag = upload_->Complete();
    } catch (...) {
      Abort();
      throw;
    }
    open_ = false;
    upload_.reset();
  }
  object.last_modified = client_->environment().clock->WallNow();
  return object;
}

void S3Writer::Abort() {
  if (!std::exchange(open_, false)) return;
  buffer_ = {};
  if (upload_) upload_->Abort();
  upload_.reset();
}

}  // namespace bucketline
