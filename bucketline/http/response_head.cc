#include "bucketline/http/response_head.h"

#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "bucketline/http/ascii.h"

namespace bucketline {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <typename Number>
bool ParseDigits(std::string_view text, Number& number) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  return status == std::errc() && end == text.data() + text.size() && text[0] != '-';
}

Error Malformed(std::string message) { return Error(ErrorCode::kCorruptData, std::move(message)); }

}  // namespace

Result<bool> ResponseHeadParser::AddLine(std::string_view line) {
  if (complete_) return false;
  bytes_ += line.size();
  if (bytes_ > kMaxHeadBytes) {
    return Malformed(fmt::format("the response's headers are longer than {} bytes", kMaxHeadBytes));
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);

  if (!started_) {
    if (auto started = StartHead(line); !started) return started.error();
    return false;
  }
  if (!line.empty()) {
    AddHeader(line);
    return false;
  }
  started_ = false;
  if (head_.status < 200) return false;
  if (auto length = FindLength(); !length) return length.error();
  complete_ = true;
  return true;
}

Result<void> ResponseHeadParser::StartHead(std::string_view status_line) {
  head_ = {};
  const size_t space = status_line.find(' ');
  const std::string_view rest =
      space == std::string_view::npos ? "" : Trim(status_line.substr(space)).substr(0, 3);
  if (!status_line.starts_with("HTTP/") || rest.size() != 3 || !ParseDigits(rest, head_.status)) {
    return Malformed("the answer does not begin with an HTTP status line");
  }
  started_ = true;
  return {};
}

void ResponseHeadParser::AddHeader(std::string_view line) {
  // A line that begins blank continues the one before (RFC 9112 5.2); nobody should send it, some proxies do.
  // The names that matter here are never folded, so it is dropped rather than pasted.
  if (kBlank.find(line.front()) != std::string_view::npos) return;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  head_.headers.Add(std::string(Trim(line.substr(0, colon))), std::string(Trim(line.substr(colon + 1))));
}

Result<void> ResponseHeadParser::FindLength() {
  if (head_.headers.Find("Transfer-Encoding")) return {};
  for (const auto& [name, value] : head_.headers.items()) {
    if (!EqualsIgnoringCase(name, "Content-Length")) continue;
    uint64_t length = 0;
    if (value.empty() || !ParseDigits(value, length)) {
      return Malformed("the response's Content-Length is not a number");
    }
    if (head_.content_length && *head_.content_length != length) {
      return Malformed("the response has two Content-Length headers that differ");
    }
    head_.content_length = length;
  }
  return {};
}

}  // namespace bucketline
