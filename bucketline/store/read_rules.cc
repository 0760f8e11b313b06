#include "bucketline/store/read_rules.h"

#include <fmt/format.h>

namespace bucketline {

uint64_t LengthToRead(const GetRequest& request, const ObjectInfo& object) {
  if (!request.pin.etag.empty() && request.pin.etag != object.etag) {
    throw Error(ErrorCode::kObjectChanged,
                fmt::format("the object changed: its ETag is {}, expected {}; list again", object.etag,
                            request.pin.etag));
  }
  if (!request.pin.version.empty() && object.version.empty()) {
    throw Error(ErrorCode::kUnsupported,
                "the store keeps no versions of this object, so none can be asked for");
  }
  if (!request.pin.version.empty() && request.pin.version != object.version) {
    throw Error(ErrorCode::kObjectChanged,
                fmt::format("the store gave version {} of the object instead of {}", object.version,
                            request.pin.version));
  }
  if (request.pin.size && *request.pin.size != object.size) {
    throw Error(ErrorCode::kObjectChanged,
                fmt::format("the object changed: it has {} bytes, expected {}; list again", object.size,
                            *request.pin.size));
  }
  const bool inside =
      request.offset <= object.size && (!request.length || *request.length <= object.size - request.offset);
  if (!inside) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("the range at offset {} reaches beyond the object's {} bytes", request.offset,
                            object.size));
  }
  return request.length.value_or(object.size - request.offset);
}

std::span<uint8_t> BeginRead(GetSink& sink, uint64_t length, const ObjectInfo& object) {
  const std::span<uint8_t> memory = sink.Begin(length, object).ValueOrThrow();
  if (memory.size() != length) {
    throw Error(ErrorCode::kInternal, fmt::format("the reader gave {} bytes of memory for {} bytes of data",
                                                  memory.size(), length));
  }
  return memory;
}

}  // namespace bucketline
