#include "bucketline/http/curl_error.h"

#include <fmt/format.h>

namespace bucketline {
namespace {

ErrorCode CodeOf(CURLcode code, std::string_view detail) {
  switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9 or an unknown version: URLs of other schemes never get this
                                      // far
      return ErrorCode::kCorruptData;
    case CURLE_RECV_ERROR:
      // libcurl reports broken chunk framing with the same code as a reset; only its text tells.
      return detail.find("chunked-encoding") != std::string_view::npos ? ErrorCode::kCorruptData
                                                                       : ErrorCode::kConnection;
    case CURLE_OUT_OF_MEMORY:
      return ErrorCode::kResourceExhausted;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kTimeout;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kConnection;
  }
}

}  // namespace

Error ErrorFromCurl(CURLcode code, std::string_view detail, std::string_view authority) {
  while (!detail.empty() && (detail.back() == '\n' || detail.back() == '\r')) detail.remove_suffix(1);
  if (detail.empty()) detail = curl_easy_strerror(code);
  return Error(CodeOf(code, detail), fmt::format("{}: {}", authority, detail));
}

}  // namespace bucketline
