#include "bucketline/serve/answer_head.h"

#include <string_view>

#include "bucketline/serve/xml_answers.h"

namespace bucketline::serve {
namespace {

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 416:
      return "Range Not Satisfiable";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

void AddHeader(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  head += "\r\n";
}

}  // namespace

RenderedAnswer RenderAnswer(const Answer& answer, bool to_head, bool keep_alive, const std::string& resource,
                            const std::string& request_id, WallTime now) {
  RenderedAnswer out;
  std::string body = answer.failure ? ErrorXml(*answer.failure, resource, request_id) : answer.body;
  out.length = answer.object ? answer.object->length : answer.head_length.value_or(body.size());

  out.head = "HTTP/1.1 " + std::to_string(answer.status) + " " + std::string(Reason(answer.status)) + "\r\n";
  AddHeader(out.head, "x-amz-request-id", request_id);
  AddHeader(out.head, "Date", FormatHttpDate(now));
  AddHeader(out.head, "Server", "bucketline");
  if (answer.failure) AddHeader(out.head, "Content-Type", "application/xml");
  for (const auto& [name, value] : answer.headers) AddHeader(out.head, name, value);
  if (answer.status != 204 && answer.status != 304) {
    AddHeader(out.head, "Content-Length", std::to_string(out.length));
  }
  AddHeader(out.head, "Connection", keep_alive ? "keep-alive" : "close");
  out.head += "\r\n";

  if (to_head) {
    out.length = 0;
  } else {
    out.body = std::move(body);
  }
  return out;
}

}  // namespace bucketline::serve
