#include "bucketline/s3/container_source.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "bucketline/http/fetch.h"
#include "bucketline/http/request_check.h"
#include "bucketline/s3/credential_json.h"
#include "bucketline/s3/endpoint.h"
#include "bucketline/s3/secret_file.h"

namespace bucketline {
namespace {

constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
constexpr std::string_view kEcsAgent = "http://169.254.170.2";

constexpr HttpDeadlines kDeadlines = {.connect = std::chrono::seconds(2),
                                      .first_byte = std::chrono::seconds(2),
                                      .stall = std::chrono::seconds(2),
                                      .total = std::chrono::seconds(4)};

bool IsIpv4Loopback(std::string_view host) {
  return host.starts_with("127.") &&
         std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// Where a plain connection does not leave the machine.
bool IsLocal(std::string_view host_and_port) {
  static constexpr std::array<std::string_view, 5> kHosts = {"169.254.170.2", "169.254.170.23", "localhost",
                                                             "[fd00:ec2::23]", "[::1]"};
  const std::string_view host = HostOf(host_and_port);
  return std::ranges::find(kHosts, host) != kHosts.end() || IsIpv4Loopback(host);
}

}  // namespace

std::optional<std::string> ContainerSource::FindUrl(const EnvironmentVariables& variables) {
  if (const auto path = FindVariable(variables, kRelative)) return std::string(kEcsAgent) + *path;
  auto url = FindVariable(variables, kFull);
  if (!url) return std::nullopt;
  const size_t scheme = url->find("://");
  const size_t path = url->find_first_of("/?", scheme == url->npos ? 0 : scheme + 3);
  const auto endpoint = Catch([&] { return ParseEndpointUrl(url->substr(0, path)); });
  if (!endpoint)
    throw Error(ErrorCode::kInvalidArgument, fmt::format("{}: {}", kFull, endpoint.error().message()));
  if (endpoint->scheme == "http" && !IsLocal(endpoint->host)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{} names the host '{}', to which credentials may not go in the clear; use https, or "
                    "an address of this machine",
                    kFull, endpoint->host));
  }
  return url;
}

ContainerSource::ContainerSource(std::string url, const CredentialContext& context)
    : url_(std::move(url)), context_(context) {}

std::string ContainerSource::Token() const {
  if (const auto file = FindVariable(context_.variables, kTokenFile)) return ReadSecretFile(*file);
  return FindVariable(context_.variables, kToken).value_or("");
}

Credentials ContainerSource::Fetch(std::stop_token stop) {
  HttpRequest http;
  http.url = url_;
  http.deadlines = kDeadlines;
  http.direct = true;
  http.headers.Add("Accept", "application/json");
  const std::string token = Token();
  if (token.find_first_of("\r\n") != token.npos) {
    throw Error(ErrorCode::kInvalidArgument, fmt::format("the token of {} holds a line break", Name()));
  }
  if (!token.empty()) http.headers.Add("Authorization", token);
  const HttpReply reply =
      bucketline::Fetch(*context_.transport, std::move(http), std::move(stop)).ValueOrThrow();
  if (reply.head.status != 200) {
    throw ServiceRefusal(Name(), reply.head.status, "does the task or the pod have a role?");
  }
  return ParseCredentialJson(reply.body, "Token", Name());
}

std::string ContainerSource::Name() const {
  // Without the path, which identifies the task's credentials.
  const size_t scheme = url_.find("://");
  return fmt::format("the container's role at {}", url_.substr(0, url_.find_first_of("/?", scheme + 3)));
}

}  // namespace bucketline
