#include "bucketline/s3/imds_source.h"

#include <charconv>

#include <fmt/format.h>

#include "bucketline/http/ascii.h"
#include "bucketline/s3/credential_json.h"

namespace bucketline {
namespace {

constexpr std::string_view kRoles = "/latest/meta-data/iam/security-credentials/";
constexpr Duration kExtension = std::chrono::minutes(15);  // of AWS's SDKs, plus 2 to 10 minutes of jitter
constexpr Duration kJitterFrom = std::chrono::minutes(2);
constexpr Duration kJitterTo = std::chrono::minutes(10);

std::string Base(const EnvironmentVariables& variables) {
  if (auto url = FindVariable(variables, "AWS_EC2_METADATA_SERVICE_ENDPOINT")) {
    while (url->ends_with('/')) url->pop_back();
    return *url;
  }
  const auto mode = FindVariable(variables, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  return mode && EqualsIgnoringCase(*mode, "ipv6") ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

Duration Patience(const EnvironmentVariables& variables) {
  const std::string text = FindVariable(variables, "AWS_METADATA_SERVICE_TIMEOUT").value_or("1");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 1 || seconds > 60) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("AWS_METADATA_SERVICE_TIMEOUT is '{}'; it is a number of seconds from 1 to 60", text));
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

ImdsSource::ImdsSource(const CredentialContext& context)
    : context_(context), base_(Base(context.variables)), patience_(Patience(context.variables)) {}

bool ImdsSource::Disabled(const EnvironmentVariables& variables) {
  return IsTrue(FindVariable(variables, "AWS_EC2_METADATA_DISABLED"));
}

HttpReply ImdsSource::Ask(std::string method, const std::string& path, HttpHeaders headers,
                          const std::stop_token& stop) const {
  HttpRequest http;
  http.method = std::move(method);
  http.url = base_ + path;
  http.headers = std::move(headers);
  http.deadlines = {
      .connect = patience_, .first_byte = patience_, .stall = patience_, .total = 2 * patience_};
  http.direct = true;
  return bucketline::Fetch(*context_.transport, std::move(http), stop).ValueOrThrow();
}

std::optional<std::string> ImdsSource::Token(const std::stop_token& stop) const {
  HttpHeaders headers;
  headers.Add("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  const bool needed = IsTrue(FindVariable(context_.variables, "AWS_EC2_METADATA_V1_DISABLED"));
  // The answer may be lost on its way into a container: the service limits its hops.
  const Result<HttpReply> reply =
      Catch([&] { return Ask("PUT", "/latest/api/token", std::move(headers), stop); });
  if (!reply) {
    if (reply.error().code() == ErrorCode::kTimeout && !needed) return std::nullopt;
    throw reply.error();
  }
  const int status = reply->head.status;
  if (status == 200 && reply->body.find_first_of("\r\n") == std::string::npos) return reply->body;
  if ((status == 403 || status == 404 || status == 405) && !needed) return std::nullopt;
  throw ServiceRefusal(Name(), status, "it gives no session token");
}

std::string ImdsSource::Document(const std::string& path, const std::optional<std::string>& token,
                                 const std::stop_token& stop) const {
  HttpHeaders headers;
  if (token) headers.Add("x-aws-ec2-metadata-token", *token);
  HttpReply reply = Ask("GET", path, std::move(headers), stop);
  if (reply.head.status == 404) {
    throw ServiceRefusal(Name(), 404, "does the instance have a role (an instance profile)?");
  }
  if (reply.head.status != 200) throw ServiceRefusal(Name(), reply.head.status);
  return std::move(reply.body);
}

Credentials ImdsSource::Fetch(std::stop_token stop) {
  const std::optional<std::string> token = Token(stop);
  std::string role = Document(std::string(kRoles), token, stop);
  role.resize(std::min(role.size(), role.find_first_of("\r\n")));
  if (role.empty()) throw ServiceRefusal(Name(), 200, "but it names no role");
  Credentials credentials =
      ParseCredentialJson(Document(std::string(kRoles) + role, token, stop), "Token", Name());
  Extend(credentials);
  return credentials;
}

void ImdsSource::Extend(Credentials& credentials) const {
  const WallTime now = context_.clock->WallNow();
  if (!credentials.expires || *credentials.expires > now + kExtension) return;
  const auto jitter =
      static_cast<Duration::rep>(context_.random() * static_cast<double>((kJitterTo - kJitterFrom).count()));
  credentials.expires = now + kExtension + kJitterFrom + Duration(jitter);
  context_.log(
      LogLevel::kWarning,
      fmt::format("{} gave credentials that expire at once; using them until it gives others", Name()));
}

std::string ImdsSource::Name() const { return fmt::format("the instance's role at {}", base_); }

}  // namespace bucketline
