#include "bucketline/s3/s3_error.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "bucketline/s3/s3_codes.h"
#include "bucketline/s3/s3_xml.h"
#include "bucketline/s3/time_format.h"

namespace bucketline {
namespace {

constexpr size_t kMaxQuoted = 300;
constexpr Duration kSuspiciousSkew = std::chrono::seconds(300);  // from which AWS's SDKs correct their clock

// What a stranger sent, made fit for one line.
std::string Quoted(std::string_view text) {
  std::string line(text.substr(0, kMaxQuoted));
  std::replace_if(line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  if (text.size() > kMaxQuoted) line += "...";
  return line;
}

std::string HeaderOr(const HttpHeaders& headers, std::string_view name, std::string_view fallback) {
  return std::string(headers.Find(name).value_or(fallback));
}

std::optional<uint64_t> Digits(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::min<uint64_t>(value, 86'400'000);
}

std::optional<Duration> RetryAfter(const HttpHeaders& headers, std::optional<WallTime> server_time) {
  if (const auto text = headers.Find("x-amz-retry-after")) {
    if (const auto ms = Digits(*text)) return std::chrono::milliseconds(*ms);
  }
  const auto text = headers.Find("Retry-After");
  if (!text) return std::nullopt;
  if (const auto seconds = Digits(*text)) return std::chrono::seconds(*seconds);
  const auto date = ParseHttpDate(*text);
  if (!date || !server_time) return std::nullopt;
  return std::max(Duration::zero(), Duration(*date - *server_time));
}

std::string RegionAdvice(const S3ErrorContext& context, const std::string& region) {
  if (!region.empty() && region != context.region) {
    return fmt::format("the bucket '{}' is in region '{}', but '{}' was asked for: set the region to {}",
                       context.bucket, region, context.region, region);
  }
  return fmt::format(
      "the bucket '{}' is not in region '{}' or not at {}: set the region, or the endpoint URL",
      context.bucket, context.region, context.endpoint_url);
}

std::string AccessAdvice(const S3ErrorContext& context) {
  std::string advice = "access denied: ";
  advice += context.anonymous
                ? "the bucket is not public; give credentials instead of reading it anonymously"
                : "these credentials lack the permission for this; S3 also says so about an object "
                  "that does not exist when s3:ListBucket is missing";
  if (!context.requester_pays && !context.anonymous)
    advice += "; for a requester-pays bucket set requester_pays";
  return advice;
}

std::string ClockAdvice(const S3ErrorContext& context, std::optional<WallTime> server_time) {
  if (!server_time) return "this machine's clock is wrong: set it";
  const auto off = std::chrono::duration_cast<std::chrono::seconds>(context.now - *server_time).count();
  return fmt::format("this machine's clock is {} s {}: set it", off < 0 ? -off : off,
                     off < 0 ? "behind" : "ahead");
}

std::string Advice(Remedy remedy, const S3ErrorContext& context, const std::string& region,
                   std::optional<WallTime> server_time) {
  switch (remedy) {
    case Remedy::kNoSuchKey:
      return "no such object; check the key, or list again if it was deleted";
    case Remedy::kNoSuchBucket:
      return fmt::format("no such bucket '{}' at {}; check its name and the endpoint URL", context.bucket,
                         context.endpoint_url);
    case Remedy::kNoSuchUpload:
      return "the multipart upload is gone: somebody, or a lifecycle rule, aborted it; write the object "
             "again";
    case Remedy::kAccessDenied:
      return AccessAdvice(context);
    case Remedy::kWrongSecret:
      return "the store rejects the signature: the secret access key does not belong to the access key id; "
             "copy it again";
    case Remedy::kUnknownKeyId:
      return fmt::format("{} does not know this access key id; check the credentials, or the endpoint URL",
                         context.endpoint_url);
    case Remedy::kExpiredToken:
      return "the session token has expired or is invalid; get new temporary credentials";
    case Remedy::kWrongRegion:
      return RegionAdvice(context, region);
    case Remedy::kClock:
      return ClockAdvice(context, server_time);
    case Remedy::kChanged:
      return "the object changed since it was listed; list again";
    case Remedy::kArchived:
      return "the object is archived; restore it first";
    case Remedy::kNone:
      break;
  }
  return {};
}

// Where a redirect points to, for the message: without path and query.
std::string Target(const HttpResponseHead& head) {
  const std::string location = HeaderOr(head.headers, "Location", "");
  const size_t scheme = location.find("://");
  if (head.status / 100 != 3 || scheme == location.npos) return {};
  return fmt::format("; it points to {}",
                     Quoted(location.substr(0, location.find_first_of("/?#", scheme + 3))));
}

// Statuses whose answers to a person matter even when a store sends no document with them.
std::string PlainText(int status) {
  switch (status) {
    case 404:
      return "no such object or bucket";
    case 416:
      return "the range reaches beyond the object's end";
    case 429:
      return "the store asks for fewer requests";
    case 503:
      return "the store is not available at the moment";
    default:
      return fmt::format("the store answered HTTP {}", status);
  }
}

bool RejectsIfMatch(const S3ErrorContext& context, const HttpResponseHead& head, std::string_view code) {
  return context.if_match && (code == "NotImplemented" || head.status == 501);
}

// What a refusal means beyond its code: a HEAD has none, and a signature may be wrong for the time that it was made for.
void ReadBetweenTheLines(const S3ErrorContext& context, int status, const S3ErrorDocument& answer,
                         const std::string& region, std::optional<WallTime> server_time,
                         S3CodeMeaning& meaning) {
  const bool bare = answer.code.empty();  // as the answers to HEAD are
  if (bare && status == 400 && !region.empty() && region != context.region) {
    meaning.remedy = Remedy::kWrongRegion;
    meaning.fault = S3Fault::kRegion;
  } else if (bare && status == 400) {
    meaning.fault = S3Fault::kCredentials;  // so S3 answers a HEAD with an expired token
  }
  const bool about_time = answer.code == "SignatureDoesNotMatch" || answer.code == "AccessDenied" ||
                          answer.code == "RequestExpired" || bare;
  if (status == 403 && about_time && server_time &&
      std::chrono::abs(*server_time - context.signed_at) >= kSuspiciousSkew) {
    meaning.fault = S3Fault::kClockSkew;
  }
}

}  // namespace

std::string RequestIdOf(const HttpHeaders& headers) { return HeaderOr(headers, "x-amz-request-id", ""); }

S3Failure FailureOfForeignAnswer(const S3ErrorContext& context, const HttpResponseHead& head) {
  const std::string message =
      fmt::format(
          "{} answered HTTP {} with {} that is not S3's: is this really an S3 endpoint, or does a proxy "
          "answer "
          "for it?",
          context.endpoint_url, head.status, Quoted(HeaderOr(head.headers, "Content-Type", "a body"))) +
      Target(head);
  const S3Fault fault = head.status >= 500 && head.status != 501 ? S3Fault::kTransient : S3Fault::kFinal;
  return {Error(ErrorCode::kUnavailable, message, context.uri, head.status, RequestIdOf(head.headers)),
          fault};
}

S3Failure FailureOfAnswer(const S3ErrorContext& context, const HttpResponseHead& head,
                          std::string_view body) {
  const auto document = ParseErrorDocument(body);
  const bool has_body = body.find_first_not_of(" \t\r\n") != body.npos;
  if (!document && has_body && head.status != 429 && head.status != 503)
    return FailureOfForeignAnswer(context, head);
  const S3ErrorDocument answer = document.value_or(S3ErrorDocument());

  S3CodeMeaning meaning = MeaningOf(answer.code, head.status);
  auto server_time = ParseHttpDate(HeaderOr(head.headers, "Date", ""));
  if (!server_time) server_time = ParseIsoDate(answer.server_time);
  const std::string region = HeaderOr(head.headers, "x-amz-bucket-region", answer.region);
  ReadBetweenTheLines(context, head.status, answer, region, server_time, meaning);
  std::string message = Advice(meaning.remedy, context, Quoted(region), server_time);
  if (RejectsIfMatch(context, head, answer.code)) {
    meaning = {ErrorCode::kUnsupported, S3Fault::kFinal, Remedy::kNone};
    message = "the store rejects If-Match, by which a read is pinned to the listed object; use pin=\"size\"";
  } else if (meaning.remedy == Remedy::kChanged && context.if_absent) {
    meaning.code = ErrorCode::kAlreadyExists;
    message = "the object exists already and was not replaced";
  } else if (answer.code == "ConditionalRequestConflict" && context.completes_upload) {
    meaning.fault = S3Fault::kFinal;
    message = "another writer interfered with this upload; write the object again";
  }

  message += Target(head);
  if (message.empty())
    message = answer.code.empty() ? PlainText(head.status) : "the store refused the request";
  if (!answer.code.empty()) {
    message += fmt::format(" ({}{}{})", Quoted(answer.code), answer.message.empty() ? "" : ": ",
                           Quoted(answer.message));
  }
  std::string request_id = RequestIdOf(head.headers);
  if (request_id.empty()) request_id = answer.request_id;
  return {Error(meaning.code, message, context.uri, head.status, Quoted(request_id)),
          meaning.fault,
          answer.code,
          RetryAfter(head.headers, server_time),
          server_time,
          region};
}

S3Failure FailureOfTransport(const S3ErrorContext& context, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kConnection:
      return {
          Error(error.code(),
                fmt::format(
                    "no connection with {}: {}; is the endpoint right, is it up, is it reachable from here?",
                    context.endpoint_url, error.message()),
                context.uri),
          S3Fault::kTransient};
    case ErrorCode::kTimeout:
      return {Error(error.code(), fmt::format("{}: {}", context.endpoint_url, error.message()), context.uri),
              S3Fault::kTransient};
    case ErrorCode::kCorruptData:
      return {error.WithUri(context.uri), S3Fault::kTransient};
    default:
      return {error.WithUri(context.uri), S3Fault::kFinal};
  }
}

S3Failure FailureOfCredentials(const S3ErrorContext& context, const Error& error) {
  switch (error.code()) {
    case ErrorCode::kConnection:
    case ErrorCode::kTimeout:
    case ErrorCode::kUnavailable:
      return {error.WithUri(context.uri), S3Fault::kTransient};
    case ErrorCode::kThrottled:
      return {error.WithUri(context.uri), S3Fault::kThrottled};
    default:
      return {error.WithUri(context.uri), S3Fault::kFinal};
  }
}

}  // namespace bucketline
