#include "bucketline/s3/sigv4.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bucketline/http/ascii.h"
#include "bucketline/s3/percent_encoding.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), AsciiLower);
  return lower;
}

// Leading and trailing blanks gone, inner runs of them a single one.
std::string Collapse(std::string_view value) {
  std::string collapsed;
  bool blank = false;
  for (const char c : value) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      blank = !collapsed.empty();
      continue;
    }
    if (blank) collapsed.push_back(' ');
    blank = false;
    collapsed.push_back(c);
  }
  return collapsed;
}

bool IsSigned(std::string_view lower_name) {
  static constexpr std::array<std::string_view, 7> kUnsigned = {
      "user-agent",        "accept-encoding", "connection",   "expect",
      "transfer-encoding", "x-amzn-trace-id", "authorization"};
  return std::find(kUnsigned.begin(), kUnsigned.end(), lower_name) == kUnsigned.end();
}

struct CanonicalHeaders {
  std::string block;  // "name:value\n" each
  std::string names;  // "host;range;..."
};

CanonicalHeaders Canonicalise(const std::string& host, const StringPairs& headers) {
  StringPairs sorted = {{"host", host}};
  for (const auto& [name, value] : headers) {
    std::string lower = LowerCase(name);
    if (IsSigned(lower)) sorted.emplace_back(std::move(lower), Collapse(value));
  }
  // Values of one name stay in their order.
  std::ranges::stable_sort(sorted, {}, &StringPairs::value_type::first);
  CanonicalHeaders canonical;
  for (size_t i = 0; i < sorted.size(); ++i) {
    const auto& [name, value] = sorted[i];
    if (i > 0 && name == sorted[i - 1].first) {
      canonical.block.back() = ',';  // instead of the line end
    } else {
      canonical.names.append(i == 0 ? "" : ";").append(name);
      canonical.block.append(name).append(":");
    }
    canonical.block.append(value).append("\n");
  }
  return canonical;
}

struct Scope {
  std::string time;  // 20130524T000000Z
  std::string date;
  std::string text;  // 20130524/us-east-1/s3/aws4_request
};

Scope ScopeOf(const SigningInput& input) {
  Scope scope;
  scope.time = FormatAmzDate(input.time);
  scope.date = scope.time.substr(0, 8);
  scope.text = fmt::format("{}/{}/{}/aws4_request", scope.date, input.region, input.service);
  return scope;
}

std::string StringToSign(const Scope& scope, std::string_view canonical_request) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, scope.time, scope.text, Hex(Sha256(canonical_request)));
}

}  // namespace

Sha256Digest SigningKeyCache::Get(std::string_view secret, std::string_view date, std::string_view region,
                                  std::string_view service) {
  // The lengths keep two different quadruples from looking alike.
  const std::string name = fmt::format("{}:{}/{}:{}/{}:{}/{}", secret.size(), secret, date.size(), date,
                                       region.size(), region, service);
  std::lock_guard lock(mutex_);
  if (name != name_) {
    const std::string start = fmt::format("AWS4{}", secret);
    Sha256Digest key = HmacSha256({reinterpret_cast<const uint8_t*>(start.data()), start.size()}, date);
    key = HmacSha256(key, region);
    key = HmacSha256(key, service);
    key_ = HmacSha256(key, "aws4_request");
    name_ = name;
  }
  return key_;
}

std::string CanonicalQuery(const StringPairs& query) {
  StringPairs encoded;
  encoded.reserve(query.size());
  for (const auto& [name, value] : query)
    encoded.emplace_back(EncodeQueryComponent(name), EncodeQueryComponent(value));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded)
    text.append(text.empty() ? "" : "&").append(name).append("=").append(value);
  return text;
}

SignedHeaders Sign(const SigningInput& input, SigningKeyCache& keys) {
  const Scope scope = ScopeOf(input);
  SignedHeaders out;
  out.headers = input.headers;
  out.headers.emplace_back("x-amz-date", scope.time);
  out.headers.emplace_back("x-amz-content-sha256", input.payload_hash);
  if (!input.credentials.session_token.empty()) {
    out.headers.emplace_back("x-amz-security-token", input.credentials.session_token);
  }
  const std::string path = EncodePath(input.path);
  const std::string query = CanonicalQuery(input.query);
  const CanonicalHeaders headers = Canonicalise(input.host, out.headers);
  out.canonical_request = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", input.method, path, query, headers.block,
                                      headers.names, input.payload_hash);
  out.string_to_sign = StringToSign(scope, out.canonical_request);
  const Sha256Digest key =
      keys.Get(input.credentials.secret_access_key, scope.date, input.region, input.service);
  out.authorization = fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                                  input.credentials.access_key_id, scope.text, headers.names,
                                  Hex(HmacSha256(key, out.string_to_sign)));
  out.headers.emplace_back("Authorization", out.authorization);
  out.path_and_query = query.empty() ? path : path + "?" + query;
  return out;
}

std::string Presign(const SigningInput& input, std::chrono::seconds lifetime) {
  if (lifetime < std::chrono::seconds(1) || lifetime > std::chrono::hours(24 * 7)) {
    throw Error(ErrorCode::kInvalidArgument, "a presigned URL lives between one second and seven days");
  }
  const Scope scope = ScopeOf(input);
  const CanonicalHeaders headers = Canonicalise(input.host, input.headers);
  StringPairs query = input.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", input.credentials.access_key_id + "/" + scope.text);
  query.emplace_back("X-Amz-Date", scope.time);
  query.emplace_back("X-Amz-Expires", std::to_string(lifetime.count()));
  query.emplace_back("X-Amz-SignedHeaders", headers.names);
  if (!input.credentials.session_token.empty()) {
    query.emplace_back("X-Amz-Security-Token", input.credentials.session_token);
  }
  const std::string path = EncodePath(input.path);
  const std::string text = CanonicalQuery(query);
  const std::string canonical_request = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", input.method, path, text,
                                                    headers.block, headers.names, kUnsignedPayload);
  SigningKeyCache keys;
  const Sha256Digest key =
      keys.Get(input.credentials.secret_access_key, scope.date, input.region, input.service);
  return fmt::format("{}?{}&X-Amz-Signature={}", path, text,
                     Hex(HmacSha256(key, StringToSign(scope, canonical_request))));
}

}  // namespace bucketline
