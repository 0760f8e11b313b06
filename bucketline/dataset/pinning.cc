#include "bucketline/dataset/pinning.h"

#include <string_view>

#include <fmt/format.h>

namespace bucketline {
namespace {

// The store's own words say "list again" already.
constexpr std::string_view kEtagAdvice =
    "; if nobody changed it, the store lists other ETags than it serves: open the dataset with pin=\"size\"";
constexpr std::string_view kVersionAdvice =
    "; where no versions are kept, open the dataset with pin=\"etag\"";

}  // namespace

GetRequest PinnedGet(const RecordPart& part, PinMode pin) {
  GetRequest request;
  request.key = part.object_key;
  request.offset = part.offset;
  if (!IsWhole(part)) request.length = part.length;
  request.pin.size = part.object_size;
  if (pin == PinMode::kEtag) request.pin.etag = part.etag;
  if (pin == PinMode::kVersion) request.pin.version = part.version;
  return request;
}

GetRequest PinnedGet(const RecordPart& part, PinMode pin, uint64_t offset, uint64_t length) {
  GetRequest request = PinnedGet(part, pin);
  if (length == part.length) return request;
  request.offset += offset;
  request.length = length;
  return request;
}

bool IsWhole(const RecordPart& part) { return part.offset == 0 && part.length == part.object_size; }

std::string UriOfPart(const ObjectStore& store, const RecordPart& part) {
  std::string uri = store.UriOf(part.object_key);
  if (IsWhole(part)) return uri;
  const uint64_t end = part.offset + part.length;
  return fmt::format("{}#bytes={}-{}", uri, part.offset, end == 0 ? "" : fmt::format("{}", end - 1));
}

Error ExplainPin(const Error& error, PinMode pin) {
  std::string_view advice;
  if (error.code() == ErrorCode::kObjectChanged && pin == PinMode::kEtag) advice = kEtagAdvice;
  if (error.code() == ErrorCode::kUnsupported && pin == PinMode::kVersion) advice = kVersionAdvice;
  if (advice.empty()) return error;
  return Error(error.code(), fmt::format("{}{}", error.message(), advice), error.uri(), error.http_status(),
               error.request_id());
}

}  // namespace bucketline
