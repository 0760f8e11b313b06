#include "bucketline/base/error.h"

#include <utility>

#include <fmt/format.h>

namespace bucketline {
namespace {

std::string OneLine(const std::string& message, const std::string& uri, int http_status,
                    const std::string& request_id) {
  std::string line = uri.empty() ? message : fmt::format("{}: {}", uri, message);
  if (http_status != 0 && !request_id.empty()) {
    line += fmt::format(" (HTTP {}, request id {})", http_status, request_id);
  } else if (http_status != 0) {
    line += fmt::format(" (HTTP {})", http_status);
  }
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

}  // namespace

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kPermissionDenied:
      return "PermissionDenied";
    case ErrorCode::kUnauthenticated:
      return "Unauthenticated";
    case ErrorCode::kAlreadyExists:
      return "AlreadyExists";
    case ErrorCode::kObjectChanged:
      return "ObjectChanged";
    case ErrorCode::kThrottled:
      return "Throttled";
    case ErrorCode::kUnavailable:
      return "Unavailable";
    case ErrorCode::kConnection:
      return "Connection";
    case ErrorCode::kTimeout:
      return "Timeout";
    case ErrorCode::kCorruptData:
      return "CorruptData";
    case ErrorCode::kResourceExhausted:
      return "ResourceExhausted";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kIo:
      return "Io";
    case ErrorCode::kUnsupported:
      return "Unsupported";
    case ErrorCode::kInternal:
      return "Internal";
  }
  return "Internal";
}

Error::Error(ErrorCode code, std::string message, std::string uri, int http_status, std::string request_id)
    : code_(code),
      message_(std::move(message)),
      uri_(std::move(uri)),
      http_status_(http_status),
      request_id_(std::move(request_id)),
      what_(OneLine(message_, uri_, http_status_, request_id_)) {}

Error Error::WithUri(std::string_view uri) const {
  return uri_.empty() ? Error(code_, message_, std::string(uri), http_status_, request_id_) : *this;
}

}  // namespace bucketline
