#include "bucketline/http/request_check.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bucketline/http/ascii.h"

namespace bucketline {
namespace {

// scheme://AUTHORITY/...; empty when there is none.
std::string_view RawAuthority(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#\\"));
}

bool HasHttpScheme(std::string_view url) {
  const std::string_view scheme = url.substr(0, url.find("://"));
  return EqualsIgnoringCase(scheme, "http") || EqualsIgnoringCase(scheme, "https");
}

bool IsVisible(char c) { return c > ' ' && c < '\x7f'; }

// RFC 9110 5.6.2.
bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsVisible(c) && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

Error Invalid(std::string message) { return Error(ErrorCode::kInvalidArgument, std::move(message)); }

}  // namespace

std::string AuthorityOf(std::string_view url) {
  const std::string_view authority = RawAuthority(url);
  return std::string(authority.substr(authority.rfind('@') + 1));
}

std::string_view HostOf(std::string_view authority) {
  const size_t bracket = authority.starts_with('[') ? std::min(authority.find(']'), authority.size()) : 0;
  return authority.substr(0, authority.find(':', bracket));
}

Result<void> CheckRequest(const HttpRequest& request) {
  if (!IsToken(request.method)) return Invalid("the request's method is not an HTTP token");
  const std::string_view authority = RawAuthority(request.url);
  if (!HasHttpScheme(request.url) || authority.empty()) {
    return Invalid("the request's URL is not of the form http[s]://host[:port]/path");
  }
  const std::string host = AuthorityOf(request.url);
  if (authority.find('@') != std::string_view::npos) {
    return Invalid(fmt::format("{}: a user name in the URL is not supported", host));
  }
  if (!std::ranges::all_of(request.url, IsVisible) || request.url.find('#') != std::string::npos) {
    return Invalid("the request's URL is not percent-encoded");
  }
  for (const auto& [name, value] : request.headers.items()) {
    if (!IsToken(name)) return Invalid(fmt::format("{}: a request header's name is not an HTTP token", host));
    if (!IsHeaderValue(value)) {
      return Invalid(fmt::format("{}: the request header {} holds a line end or a NUL", host, name));
    }
  }
  if (!request.body.empty() && request.method != "PUT" && request.method != "POST") {
    return Invalid(fmt::format("{}: a {} request has no body", host, request.method));
  }
  return {};
}

bool IsTransportHeader(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kOwn = {"Host", "Content-Length", "Transfer-Encoding",
                                                           "Connection"};
  return std::ranges::any_of(kOwn, [name](std::string_view own) { return EqualsIgnoringCase(own, name); });
}

}  // namespace bucketline
