#include "bucketline/s3/sts.h"

#include <fmt/format.h>
#include <pugixml.hpp>

#include "bucketline/http/fetch.h"
#include "bucketline/s3/configured_endpoint.h"
#include "bucketline/s3/s3_codes.h"
#include "bucketline/s3/s3_xml.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

Endpoint EndpointOf(const std::string& url, std::string_view region) {
  return ParseEndpointUrl(url.empty() ? fmt::format("https://sts.{}.{}", region, AwsDomain(region)) : url);
}

HttpRequest Post(const Endpoint& endpoint, const std::string& form) {
  HttpRequest http;
  http.method = "POST";
  http.url = endpoint.Url() + endpoint.PathOf("");
  http.body = Bytes::Copy(form);
  http.deadlines = kServiceDeadlines;
  return http;
}

Error Refusal(const HttpReply& reply, std::string_view role, const std::string& url) {
  const auto document = ParseErrorDocument(reply.body).value_or(S3ErrorDocument());
  const S3CodeMeaning meaning = MeaningOf(document.code, reply.head.status);
  const std::string why =
      document.code.empty() ? "" : fmt::format(" ({}: {})", document.code, document.message.substr(0, 300));
  return Error(meaning.code, fmt::format("{} refuses the role {}{}", url, role, why), "", reply.head.status,
               document.request_id);
}

}  // namespace

Sts::Sts(const CredentialContext& context, const std::string& endpoint_url, std::string region)
    : context_(context), region_(std::move(region)), endpoint_(EndpointOf(endpoint_url, region_)) {}

Credentials Sts::Call(StringPairs parameters, const Credentials* signer, std::string_view role,
                      std::stop_token stop) const {
  parameters.emplace_back("Version", "2011-06-15");
  const std::string form = CanonicalQuery(parameters);
  HttpRequest http = Post(endpoint_, form);
  StringPairs headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                         {"Accept", "application/xml"}};
  if (signer != nullptr) {
    SigningInput input;
    input.method = "POST";
    input.host = endpoint_.host;
    input.path = endpoint_.PathOf("");
    input.headers = std::move(headers);
    input.payload_hash = Hex(Sha256(form));
    input.credentials = *signer;
    input.region = region_;
    input.service = "sts";
    input.time = context_.clock->WallNow();
    SigningKeyCache keys;
    headers = Sign(input, keys).headers;
  }
  for (auto& [name, value] : headers) http.headers.Add(std::move(name), std::move(value));

  const HttpReply reply = Fetch(*context_.transport, std::move(http), std::move(stop)).ValueOrThrow();
  if (reply.head.status != 200) throw Refusal(reply, role, endpoint_.Url());
  pugi::xml_document document;
  document.load_buffer(reply.body.data(), reply.body.size());
  const pugi::xml_node found = document.find_node(
      [](const pugi::xml_node& node) { return std::string_view(node.name()) == "Credentials"; });
  Credentials credentials{found.child_value("AccessKeyId"), found.child_value("SecretAccessKey"),
                          found.child_value("SessionToken"), ParseIsoDate(found.child_value("Expiration"))};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty() || !credentials.expires) {
    throw Error(ErrorCode::kUnavailable,
                fmt::format("{} answered without credentials for the role {}; is it really STS?",
                            endpoint_.Url(), role));
  }
  return credentials;
}

std::string DefaultSessionName(const Clock& clock) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.WallNow().time_since_epoch());
  return fmt::format("bucketline-{}", now.count());
}

}  // namespace bucketline
