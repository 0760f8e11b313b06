#include "bucketline/serve/auth.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <openssl/crypto.h>

#include "bucketline/s3/percent_encoding.h"
#include "bucketline/s3/time_format.h"
#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr Duration kMaxSkew = std::chrono::minutes(15);
constexpr uint64_t kMaxExpires = 7 * 24 * 3600;

std::string OrEmpty(const std::string* text) { return text != nullptr ? *text : std::string(); }

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The value of "name=value" in a comma-separated list; "" when absent.
std::string Field(std::string_view list, std::string_view name) {
  for (const std::string& item : Split(list, ',')) {
    std::string_view view = item;
    while (view.starts_with(' ')) view.remove_prefix(1);
    if (view.size() > name.size() && view.starts_with(name) && view[name.size()] == '=') {
      return std::string(view.substr(name.size() + 1));
    }
  }
  return {};
}

// "20130524T000000Z".
std::optional<WallTime> ParseAmzDate(const std::string& text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  return ParseIsoDate(text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6, 5) + ":" +
                      text.substr(11, 2) + ":" + text.substr(13, 2));
}

std::string CollapseBlanks(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string SignedValue(const Request& request, std::string_view name) {
  std::string joined;
  bool first = true;
  for (const auto& [header, value] : request.headers) {
    if (header != name) continue;
    if (!first) joined += ',';
    joined += CollapseBlanks(value);
    first = false;
  }
  return joined;
}

bool SameText(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

// What a request says about its own signature.
struct Authenticator::Claim {
  std::string malformed_code;  // how a malformed claim of this kind is called
  std::string access_key_id, date, region, service, terminator;
  std::string amz_date;
  WallTime time{};
  std::optional<std::chrono::seconds> lifetime;  // of a presigned URL
  std::vector<std::string> signed_headers;
  std::string payload_hash;
  std::string signature;
  bool in_query = false;

  std::string Scope() const { return date + "/" + region + "/" + service + "/" + terminator; }

  void ReadCredential(const std::string& credential) {
    std::vector<std::string> parts = Split(credential, '/');
    if (parts.size() < 5) throw S3Failure(malformed_code);
    const auto take = [&parts] {
      std::string part = std::move(parts.back());
      parts.pop_back();
      return part;
    };
    terminator = take();
    service = take();
    region = take();
    date = take();
    for (const std::string& part : parts) access_key_id += (access_key_id.empty() ? "" : "/") + part;
  }
  void ReadTime(const std::string& text) {
    const std::optional<WallTime> parsed = ParseAmzDate(text);
    if (!parsed) throw S3Failure("AccessDenied", "The request needs a valid X-Amz-Date.");
    amz_date = text;
    time = *parsed;
  }
};

std::optional<ChunkSigner> Authenticator::Check(const Request& request) {
  const std::string* authorization = request.Header("authorization");
  const bool presigned = request.Query("X-Amz-Signature") != nullptr;
  if (authorization == nullptr && !presigned) {
    if (anonymous_) return std::nullopt;
    throw S3Failure("AccessDenied");
  }
  const Claim claim = authorization != nullptr ? ReadHeader(request, *authorization) : ReadQuery(request);
  if (claim.access_key_id != keys_.access_key_id) throw S3Failure("InvalidAccessKeyId");
  CheckScope(claim);
  CheckTime(claim);

  const Sha256Digest key =
      signing_keys_.Get(keys_.secret_access_key, claim.date, claim.region, claim.service);
  const std::string text = std::string(kAlgorithm) + "\n" + claim.amz_date + "\n" + claim.Scope() + "\n" +
                           Hex(Sha256(CanonicalRequest(request, claim)));
  if (!SameText(Hex(HmacSha256(key, text)), claim.signature)) throw S3Failure("SignatureDoesNotMatch");
  if (!claim.payload_hash.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) return std::nullopt;
  return ChunkSigner(key, claim.amz_date, claim.Scope(), claim.signature);
}

Authenticator::Claim Authenticator::ReadHeader(const Request& request,
                                               const std::string& authorization) const {
  if (!authorization.starts_with(kAlgorithm)) {
    throw S3Failure("InvalidRequest",
                    "The authorization mechanism is not supported. Please use AWS4-HMAC-SHA256.");
  }
  const std::string_view fields = std::string_view(authorization).substr(kAlgorithm.size());
  Claim claim;
  claim.malformed_code = "AuthorizationHeaderMalformed";
  claim.ReadCredential(Field(fields, "Credential"));
  claim.signed_headers = Split(Field(fields, "SignedHeaders"), ';');
  claim.signature = Field(fields, "Signature");
  if (claim.signature.empty()) throw S3Failure(claim.malformed_code);
  claim.ReadTime(OrEmpty(request.Header("x-amz-date")));
  const std::string* payload_hash = request.Header("x-amz-content-sha256");
  if (payload_hash == nullptr) {
    throw S3Failure("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  claim.payload_hash = *payload_hash;
  for (const auto& [name, value] : request.headers) {
    const bool must_be_signed = name == "host" || name.starts_with("x-amz-");
    if (must_be_signed && std::ranges::find(claim.signed_headers, name) == claim.signed_headers.end()) {
      throw S3Failure("AccessDenied", "There were headers present in the request which were not signed",
                      {{"HeadersNotSigned", name}});
    }
  }
  return claim;
}

Authenticator::Claim Authenticator::ReadQuery(const Request& request) const {
  Claim claim;
  claim.malformed_code = "AuthorizationQueryParametersError";
  claim.in_query = true;
  if (OrEmpty(request.Query("X-Amz-Algorithm")) != kAlgorithm) throw S3Failure(claim.malformed_code);
  claim.ReadCredential(OrEmpty(request.Query("X-Amz-Credential")));
  claim.signed_headers = Split(OrEmpty(request.Query("X-Amz-SignedHeaders")), ';');
  claim.signature = OrEmpty(request.Query("X-Amz-Signature"));
  claim.ReadTime(OrEmpty(request.Query("X-Amz-Date")));
  const std::optional<uint64_t> expires = ParseNumber(OrEmpty(request.Query("X-Amz-Expires")));
  if (!expires || *expires > kMaxExpires) throw S3Failure(claim.malformed_code);
  claim.lifetime = std::chrono::seconds(*expires);
  claim.payload_hash = kUnsignedPayload;
  if (std::ranges::find(claim.signed_headers, "host") == claim.signed_headers.end()) {
    throw S3Failure(claim.malformed_code, "The host must be signed.");
  }
  return claim;
}

void Authenticator::CheckScope(const Claim& claim) const {
  if (claim.region != region_) {
    throw S3Failure(claim.malformed_code,
                    "The authorization header is malformed; the region '" + claim.region +
                        "' is wrong; expecting '" + region_ + "'",
                    {{"Region", region_}});
  }
  if (claim.service != "s3" || claim.terminator != "aws4_request" ||
      !claim.amz_date.starts_with(claim.date) || claim.date.size() != 8) {
    throw S3Failure(claim.malformed_code);
  }
}

void Authenticator::CheckTime(const Claim& claim) const {
  const Duration age = clock_.WallNow() - claim.time;
  if (claim.lifetime && age > *claim.lifetime) throw S3Failure("AccessDenied", "Request has expired");
  if (-age > kMaxSkew || (!claim.lifetime && age > kMaxSkew)) throw S3Failure("RequestTimeTooSkewed");
}

std::string Authenticator::CanonicalRequest(const Request& request, const Claim& claim) const {
  StringPairs query;
  for (const auto& parameter : request.query) {
    if (!claim.in_query || parameter.first != "X-Amz-Signature") query.push_back(parameter);
  }
  std::string text = request.method + "\n" + EncodePath(request.path) + "\n" + CanonicalQuery(query) + "\n";
  std::string names;
  for (const std::string& name : claim.signed_headers) {
    text += name + ":" + SignedValue(request, name) + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  return text + "\n" + names + "\n" + claim.payload_hash;
}

}  // namespace bucketline::serve
