#include "bucketline/s3/sso_source.h"

#include <fmt/format.h>

#include "bucketline/base/hash.h"
#include "bucketline/http/fetch.h"
#include "bucketline/s3/configured_endpoint.h"
#include "bucketline/s3/credential_json.h"
#include "bucketline/s3/endpoint.h"
#include "bucketline/s3/json_text.h"
#include "bucketline/s3/secret_file.h"
#include "bucketline/s3/sigv4.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

constexpr int64_t kLatestMilliseconds = 7'000'000'000'000;  // the year 2191; WallTime ends in 2262

std::string Needed(const std::map<std::string, std::string>& values, const char* key,
                   const std::string& where) {
  const auto found = values.find(key);
  if (found != values.end() && !found->second.empty()) return found->second;
  throw Error(ErrorCode::kInvalidArgument, fmt::format("{} has no {}", where, key));
}

std::string CacheFile(const std::string& name, const EnvironmentVariables& variables) {
  return ExpandHome(fmt::format("~/.aws/sso/cache/{}.json", Hex(Sha1(name))), variables);
}

}  // namespace

SsoSource::SsoSource(const SharedProfile& profile, const CredentialContext& context)
    : context_(context),
      profile_(profile.name),
      account_(Needed(profile.values, "sso_account_id", fmt::format("profile '{}'", profile.name))),
      role_(Needed(profile.values, "sso_role_name", fmt::format("profile '{}'", profile.name))) {
  const auto session = profile.Find("sso_session");
  const std::string where = session ? fmt::format("[sso-session {}] in '{}'", *session, profile.config_file)
                                    : fmt::format("profile '{}'", profile.name);
  const auto& values = session ? profile.sso : profile.values;
  region_ = Needed(values, "sso_region", where);
  const std::string start_url = Needed(values, "sso_start_url", where);
  cache_file_ = CacheFile(session.value_or(start_url), context.variables);
  const std::string url = ConfiguredEndpointUrl("sso", context.variables, profile);
  const Endpoint endpoint = ParseEndpointUrl(
      url.empty() ? fmt::format("https://portal.sso.{}.{}", region_, AwsDomain(region_)) : url);
  portal_ = endpoint.Url() + endpoint.bucket_path;
}

Error SsoSource::LogInAgain(std::string_view why) const {
  return Error(ErrorCode::kUnauthenticated,
               fmt::format("{}: {}; run `aws sso login --profile {}`", Name(), why, profile_));
}

std::string SsoSource::AccessToken() const {
  const Result<std::string> text = Catch([&] { return ReadSecretFile(cache_file_); });
  if (!text) throw LogInAgain(text.error().message());
  const nlohmann::json document = nlohmann::json::parse(*text, nullptr, false);
  const std::string token = JsonText(document, "accessToken");
  const auto expires = ParseIsoDate(JsonText(document, "expiresAt"));
  if (token.empty() || !expires || token.find_first_of("\r\n") != token.npos) {
    throw LogInAgain(fmt::format("'{}' holds no token", cache_file_));
  }
  if (*expires <= context_.clock->WallNow()) throw LogInAgain("its session has expired");
  return token;
}

Credentials SsoSource::Fetch(std::stop_token stop) {
  HttpRequest http;
  http.url = fmt::format("{}/federation/credentials?{}", portal_,
                         CanonicalQuery({{"role_name", role_}, {"account_id", account_}}));
  http.headers.Add("x-amz-sso_bearer_token", AccessToken());
  http.headers.Add("Accept", "application/json");
  http.deadlines = kServiceDeadlines;
  const HttpReply reply =
      bucketline::Fetch(*context_.transport, std::move(http), std::move(stop)).ValueOrThrow();
  if (reply.head.status == 401) throw LogInAgain("its session has expired");
  if (reply.head.status != 200) {
    throw ServiceRefusal(Name(), reply.head.status, "may this user take this role?");
  }
  const nlohmann::json document = nlohmann::json::parse(reply.body, nullptr, false);
  const nlohmann::json role =
      document.is_object() ? document.value("roleCredentials", nlohmann::json()) : nlohmann::json();
  Credentials credentials{JsonText(role, "accessKeyId"), JsonText(role, "secretAccessKey"),
                          JsonText(role, "sessionToken")};
  const int64_t expires =
      role.is_object() && role.contains("expiration") && role["expiration"].is_number_integer()
          ? role["expiration"].get<int64_t>()
          : 0;
  if (credentials.access_key_id.empty() || expires <= 0 || expires > kLatestMilliseconds) {
    throw Error(ErrorCode::kUnavailable, fmt::format("{} gave an answer without credentials", Name()));
  }
  credentials.expires = WallTime(std::chrono::milliseconds(expires));
  return credentials;
}

std::string SsoSource::Name() const {
  return fmt::format("single sign-on: role {} of account {}, profile '{}'", role_, account_, profile_);
}

}  // namespace bucketline
