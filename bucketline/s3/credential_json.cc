#include "bucketline/s3/credential_json.h"

#include <fmt/format.h>

#include "bucketline/s3/json_text.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

Error Broken(std::string_view source, std::string_view why) {
  return Error(ErrorCode::kUnavailable, fmt::format("{} gave {}", source, why));
}

}  // namespace

Credentials ParseCredentialJson(std::string_view json, const char* token, std::string_view source) {
  const nlohmann::json document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object()) throw Broken(source, "an answer that is no JSON object");
  Credentials credentials{JsonText(document, "AccessKeyId"), JsonText(document, "SecretAccessKey"),
                          JsonText(document, token)};
  if (credentials.access_key_id.empty()) throw Broken(source, "an answer without AccessKeyId");
  if (credentials.secret_access_key.empty()) throw Broken(source, "an answer without SecretAccessKey");
  const std::string expiration = JsonText(document, "Expiration");
  if (expiration.empty()) return credentials;
  credentials.expires = ParseIsoDate(expiration);
  if (!credentials.expires) throw Broken(source, "an Expiration that is no date");
  return credentials;
}

Error ServiceRefusal(std::string_view source, int status, std::string_view advice) {
  ErrorCode code = ErrorCode::kUnauthenticated;
  if (status >= 500) code = ErrorCode::kUnavailable;
  if (status == 429) code = ErrorCode::kThrottled;
  return Error(code,
               fmt::format("{} answered HTTP {}{}{}", source, status, advice.empty() ? "" : "; ", advice), "",
               status);
}

}  // namespace bucketline
