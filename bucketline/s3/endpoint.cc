#include "bucketline/s3/endpoint.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "bucketline/base/error.h"
#include "bucketline/http/ascii.h"
#include "bucketline/s3/configured_endpoint.h"

namespace bucketline {
namespace {

bool LowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsHostLabel(std::string_view text) {
  return !text.empty() && text.size() <= 63 && LowerOrDigit(text.front()) && LowerOrDigit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return LowerOrDigit(c) || c == '-'; });
}

void CheckBucket(std::string_view bucket) {
  const bool good = !bucket.empty() && bucket.size() <= 255 && bucket != "." && bucket != ".." &&
                    std::all_of(bucket.begin(), bucket.end(), [](char c) {
                      return LowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
                    });
  if (!good) throw Error(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a bucket's name", bucket));
}

bool IsIpAddress(std::string_view host) {
  return host.starts_with('[') || std::all_of(host.begin(), host.end(), [](char c) {
           return c == '.' || c == ':' || (c >= '0' && c <= '9');
         });
}

// Dots are fine where no TLS wildcard has to match: the user asked for it.
void CheckVirtualHost(const Endpoint& endpoint, std::string_view bucket) {
  const bool dns = std::all_of(bucket.begin(), bucket.end(),
                               [](char c) { return LowerOrDigit(c) || c == '-' || c == '.'; });
  const char* why = !dns                         ? "its name is no host name"
                    : IsIpAddress(endpoint.host) ? "the endpoint is an address without a name"
                    : endpoint.scheme == "https" && bucket.find('.') != bucket.npos
                        ? "no certificate covers a name with dots"
                        : nullptr;
  if (why == nullptr) return;
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("the bucket '{}' cannot be addressed as a virtual host: {}; use path addressing",
                          bucket, why));
}

}  // namespace

std::string Endpoint::PathOf(std::string_view key) const { return fmt::format("{}/{}", bucket_path, key); }

Endpoint ParseEndpointUrl(std::string_view endpoint_url) {
  const auto malformed = [&](std::string_view why) {
    // Without the text itself when it holds a password.
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the endpoint{} {}; write it as http://host:port or https://host",
                    endpoint_url.find('@') == endpoint_url.npos ? fmt::format(" '{}'", endpoint_url) : "",
                    why));
  };
  Endpoint endpoint;
  std::string_view rest = endpoint_url;
  const size_t colon = rest.find("://");
  endpoint.scheme = rest.substr(0, colon == rest.npos ? 0 : colon);
  std::ranges::transform(endpoint.scheme, endpoint.scheme.begin(), AsciiLower);
  if (endpoint.scheme != "http" && endpoint.scheme != "https")
    throw malformed("begins with neither http:// nor https://");
  rest.remove_prefix(colon + 3);
  if (rest.find('@') != rest.npos) throw malformed("holds a user name; credentials do not belong into a URL");
  if (rest.find_first_of("?#%\\ \t\r\n") != rest.npos) throw malformed("holds a character that none has");

  const size_t slash = rest.find('/');
  std::string_view base = slash == rest.npos ? std::string_view() : rest.substr(slash);
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string host(rest.substr(0, slash));
  std::ranges::transform(host, host.begin(), AsciiLower);

  const size_t port_colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (port_colon != host.npos) {
    unsigned port = 0;
    const char* end = host.data() + host.size();
    const auto [stop, error] = std::from_chars(host.data() + port_colon + 1, end, port);
    if (error != std::errc() || stop != end || port == 0 || port > 65535)
      throw malformed("has no valid port");
    // What the transport would leave out of Host must not be signed either.
    if (port == (endpoint.scheme == "http" ? 80u : 443u)) host.resize(port_colon);
  }
  if (host.empty() || host.front() == ':') throw malformed("names no host");
  endpoint.host = std::move(host);
  endpoint.bucket_path = base;
  return endpoint;
}

Endpoint MakeEndpoint(std::string_view endpoint_url, std::string_view region, std::string_view bucket,
                      Addressing addressing) {
  CheckBucket(bucket);
  if (!IsHostLabel(region)) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("'{}' is not a region; one looks like us-east-1", region));
  }
  const bool aws = endpoint_url.empty();
  Endpoint endpoint = aws ? Endpoint{"https", fmt::format("s3.{}.{}", region, AwsDomain(region)), ""}
                          : ParseEndpointUrl(endpoint_url);
  if (addressing == Addressing::kVirtual) CheckVirtualHost(endpoint, bucket);
  if (addressing == Addressing::kVirtual || (addressing == Addressing::kAuto && aws && IsHostLabel(bucket))) {
    endpoint.host = fmt::format("{}.{}", bucket, endpoint.host);
  } else {
    endpoint.bucket_path += fmt::format("/{}", bucket);
  }
  return endpoint;
}

}  // namespace bucketline
