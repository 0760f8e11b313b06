#include "bucketline/s3/s3_get.h"

#include <algorithm>

#include <fmt/format.h>

#include "bucketline/http/ascii.h"
#include "bucketline/s3/content_range.h"
#include "bucketline/s3/s3_head.h"
#include "bucketline/s3/s3_hedged_get.h"
#include "bucketline/s3/s3_parallel_get.h"
#include "bucketline/s3/time_format.h"
#include "bucketline/store/read_rules.h"

namespace bucketline {
namespace {

// A sum that differs again and again is the stored object's fault, not the network's.
constexpr int kMaxWrongSums = 3;

bool IsWhole(const GetRequest& request) { return request.offset == 0 && !request.length; }

// A proxy's or a captive portal's "200 OK": HTML, and nothing that a store sends with an object.
bool IsPage(const HttpResponseHead& head) {
  const auto type = head.headers.Find("Content-Type");
  if (!type || !type->starts_with("text/html") || head.headers.Find("ETag")) return false;
  return std::ranges::none_of(head.headers.items(), [](const auto& item) {
    return item.first.size() > 6 && EqualsIgnoringCase(item.first.substr(0, 6), "x-amz-");
  });
}

}  // namespace

S3Request MakeGetRequest(const GetRequest& request, bool verify) {
  S3Request s3;
  s3.key = request.key;
  if (!request.pin.version.empty()) s3.query.emplace_back("versionId", request.pin.version);
  if (!request.pin.etag.empty()) s3.headers.emplace_back("If-Match", request.pin.etag);
  if (!IsWhole(request)) {
    const std::string last = request.length ? std::to_string(request.offset + *request.length - 1) : "";
    s3.headers.emplace_back("Range", fmt::format("bytes={}-{}", request.offset, last));
  }
  if (verify) s3.headers.emplace_back("x-amz-checksum-mode", "ENABLED");
  return s3;
}

S3Failure GetReceiver::Bad(ErrorCode code, std::string message, S3Fault fault) const {
  return {Error(code, std::move(message), context_.uri), fault};
}

// A 206 must be exactly the range that was asked for; S3 itself cuts one that reaches beyond the end, which
// LengthToRead() refuses afterwards.
std::optional<S3Failure> GetReceiver::CheckRange(const HttpResponseHead& head, uint64_t& whole_size) const {
  const auto text = head.headers.Find("Content-Range");
  const auto range = ParseContentRange(text.value_or(""));
  if (!range) {
    return Bad(ErrorCode::kUnavailable, "the store's answer to a range has no valid Content-Range",
               S3Fault::kFinal);
  }
  const uint64_t last =
      request_.length ? std::min(request_.offset + *request_.length, range->size) - 1 : range->size - 1;
  if (range->first != request_.offset || range->last != last) {
    return Bad(ErrorCode::kCorruptData,
               fmt::format("the store sent bytes {}-{} instead of {}-{}", range->first, range->last,
                           request_.offset, last),
               S3Fault::kTransient);
  }
  whole_size = range->size;
  return std::nullopt;
}

// A store that ignores If-Match is caught here, and so is a change between two attempts.
std::optional<S3Failure> GetReceiver::CheckSame(const ObjectInfo& object) const {
  if (!request_.pin.etag.empty() && object.etag != request_.pin.etag) {
    if (object.etag.empty()) {
      return Bad(ErrorCode::kUnsupported,
                 "the store sends no ETag, so a read cannot be pinned by it; use pin=\"size\"",
                 S3Fault::kFinal);
    }
    return Bad(
        ErrorCode::kObjectChanged,
        fmt::format("the object changed: the store serves it with ETag {}, but {} was listed; list again",
                    object.etag, request_.pin.etag),
        S3Fault::kFinal);
  }
  if (begun_ && (object.etag != object_.etag || object.size != object_.size)) {
    return Bad(ErrorCode::kObjectChanged, "the object changed while it was read; list again",
               S3Fault::kFinal);
  }
  return std::nullopt;
}

std::optional<S3Failure> GetReceiver::OnHead(const HttpResponseHead& head) {
  if (IsPage(head)) return FailureOfForeignAnswer(context_, head);
  ObjectInfo object;
  object.key = request_.key;
  std::optional<uint64_t> whole_size = head.content_length;
  if (head.status == 206) {
    uint64_t size = 0;
    if (IsWhole(request_)) {
      return Bad(ErrorCode::kUnavailable, "the store sent a part of the object when all of it was asked for",
                 S3Fault::kFinal);
    }
    if (auto failure = CheckRange(head, size)) return failure;
    whole_size = size;
  } else if (head.status != 200) {
    return Bad(ErrorCode::kUnavailable, fmt::format("the store answered a read with HTTP {}", head.status),
               S3Fault::kFinal);
  }
  if (auto failure = ParseObjectHead(context_, head, whole_size, object)) return failure;
  if (auto failure = CheckSame(object)) return failure;

  uint64_t length = 0;
  const auto fits = Catch([&] { length = LengthToRead(request_, object); });
  if (!fits) return S3Failure{fits.error().WithUri(context_.uri)};
  if (head.status == 200 && length != object.size) {
    return Bad(ErrorCode::kUnsupported,
               "the store ignores Range and sends whole objects; it cannot serve ranges", S3Fault::kFinal);
  }
  if (head.content_length.value_or(length) != length) {
    return Bad(ErrorCode::kCorruptData,
               fmt::format("the store announced {} bytes for a range of {}", *head.content_length, length),
               S3Fault::kTransient);
  }
  const auto begun = Catch([&] { memory_ = BeginRead(*sink_, length, object); });
  if (!begun) return S3Failure{begun.error().WithUri(context_.uri)};
  object_ = std::move(object);
  begun_ = true;
  answered_ = true;
  filled_ = 0;
  // Stores disagree on what they send with a part of the object, so only all of it is compared.
  sum_.reset();
  const auto checksum = ChecksumOfObject(head.headers);
  if (checksum && length == object_.size) sum_.emplace(*checksum);
  return std::nullopt;
}

std::optional<S3Failure> GetReceiver::OnBody(std::span<const uint8_t> data) {
  if (data.size() > memory_.size() - filled_) {
    return Bad(ErrorCode::kCorruptData,
               fmt::format("the store sent more than the {} bytes of the range", memory_.size()),
               S3Fault::kTransient);
  }
  std::copy(data.begin(), data.end(), memory_.begin() + static_cast<ptrdiff_t>(filled_));
  filled_ += data.size();
  if (sum_) sum_->Update(data);
  return std::nullopt;
}

std::optional<S3Failure> GetReceiver::CheckSum() {
  const auto difference = sum_ ? sum_->Difference() : std::nullopt;
  if (!difference) return std::nullopt;
  if (++wrong_sums_ < kMaxWrongSums) {
    return Bad(ErrorCode::kCorruptData, fmt::format("the bytes have {}", *difference), S3Fault::kTransient);
  }
  return Bad(
      ErrorCode::kCorruptData,
      fmt::format("the bytes have {}, {} times: the object is damaged at the store, or something on the way "
                  "changes it; write it again",
                  *difference, wrong_sums_),
      S3Fault::kFinal);
}

std::optional<S3Failure> GetReceiver::OnEnd() {
  if (filled_ == memory_.size()) return CheckSum();
  return Bad(ErrorCode::kCorruptData,
             fmt::format("the body ended after {} of {} bytes", filled_, memory_.size()),
             S3Fault::kTransient);
}

namespace {

// What a read will bring; the largest number when only the store knows.
uint64_t SizeOf(const GetRequest& request) {
  if (request.length) return *request.length;
  return request.pin.size ? *request.pin.size - std::min(request.offset, *request.pin.size) : UINT64_MAX;
}

void Check(S3Client& client, const GetRequest& request) {
  CheckKey(client, request.key);
  if (request.length && *request.length > UINT64_MAX - request.offset) {
    throw Error(ErrorCode::kInvalidArgument, "the range reaches beyond the largest offset",
                client.UriOf(request.key));
  }
}

// HTTP cannot ask for an empty range, and an offset at the very end is unsatisfiable to it: a HEAD tells
// whether the object is there, as pinned, and the offset inside.
void GetNothing(S3Client& client, GetRequest request, std::shared_ptr<GetSink> sink,
                std::function<void(Result<ObjectInfo>)> done) {
  const std::string uri = client.UriOf(request.key);
  HeadRequest head{request.key, request.pin.etag, request.stop, request.pin.version};
  StartHead(client, std::move(head),
            [uri, request = std::move(request), sink = std::move(sink),
             done = std::move(done)](Result<ObjectInfo> found) {
              if (!found) return done(found.error());
              const auto checked = Catch([&] {
                const uint64_t length = LengthToRead(request, *found);
                if (length != 0)
                  throw Error(ErrorCode::kUnavailable, "the store does not serve the end of this object");
                BeginRead(*sink, 0, *found);
              });
              if (!checked) return done(checked.error().WithUri(uri));
              done(std::move(found));
            });
}

}  // namespace

void StartGet(std::shared_ptr<S3Client> client, GetRequest request, std::shared_ptr<GetSink> sink,
              std::function<void(Result<ObjectInfo>)> done) {
  if (auto checked = Catch([&] { Check(*client, request); }); !checked) {
    return client->Later([done = std::move(done), error = checked.error()] { done(error); });
  }
  if (request.length == 0u) return GetNothing(*client, std::move(request), std::move(sink), std::move(done));

  const uint64_t bytes = SizeOf(request);
  if (bytes >= ParallelGet::kSmallest && bytes != UINT64_MAX) {
    return ParallelGet::Start(std::move(client), std::move(request), bytes, std::move(sink), std::move(done));
  }
  HedgeRules* hedges = client->environment().hedges;
  HedgedGet::Done ended = [client, request, sink, done = std::move(done)](const S3Outcome& outcome,
                                                                          const ObjectInfo& object) {
    if (!outcome.failure) return done(object);
    if (outcome.failure->error.http_status() == 416 && !request.length) {
      return GetNothing(*client, request, sink, done);
    }
    done(outcome.failure->error);
  };
  if (hedges != nullptr && HedgeRules::Considers(bytes)) {
    return HedgedGet::Start(std::move(client), std::move(request), bytes, std::move(sink), std::move(ended));
  }

  S3Request s3 = MakeGetRequest(request, client->settings().checksums.verify);
  auto receiver = std::make_shared<GetReceiver>(client->ContextOf(s3), request, std::move(sink));
  client->Start(
      std::move(s3), receiver, request.stop,
      [receiver, ended = std::move(ended)](const S3Outcome& outcome) { ended(outcome, receiver->object()); });
}

}  // namespace bucketline
