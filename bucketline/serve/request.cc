#include "bucketline/serve/request.h"

#include <charconv>

#include "bucketline/serve/percent.h"
#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {
namespace {

constexpr size_t kMaxKeyBytes = 1024;

const std::string* FindIn(const std::vector<std::pair<std::string, std::string>>& pairs,
                          std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string DecodeOrThrow(std::string_view text, bool plus_is_space) {
  std::optional<std::string> decoded = PercentDecode(text, plus_is_space);
  if (!decoded || decoded->find('\0') != std::string::npos) throw S3Failure("InvalidURI");
  return *std::move(decoded);
}

void ParseQuery(std::string_view text, Request& request) {
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view item = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (item.empty()) continue;
    const size_t equals = item.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : item.substr(equals + 1);
    request.query.emplace_back(DecodeOrThrow(item.substr(0, equals), true), DecodeOrThrow(value, true));
  }
}

std::string_view TrimETag(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

}  // namespace

const std::string* Request::Header(std::string_view name) const { return FindIn(headers, name); }
const std::string* Request::Query(std::string_view name) const { return FindIn(query, name); }

void ParseTarget(std::string_view target, Request& request) {
  if (!target.starts_with('/')) throw S3Failure("InvalidURI");
  const size_t question = target.find('?');
  request.path = DecodeOrThrow(target.substr(0, question), false);
  if (question != std::string_view::npos) ParseQuery(target.substr(question + 1), request);
  const size_t slash = request.path.find('/', 1);
  request.bucket = request.path.substr(1, slash == std::string::npos ? slash : slash - 1);
  request.key = slash == std::string::npos ? std::string() : request.path.substr(slash + 1);
  if (request.bucket.empty() && !request.key.empty()) throw S3Failure("InvalidURI");
  if (request.key.size() > kMaxKeyBytes) throw S3Failure("KeyTooLongError");
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool NamesETag(std::string_view condition, std::string_view etag) {
  while (true) {
    const size_t comma = condition.find(',');
    const std::string_view item = TrimETag(condition.substr(0, comma));
    if (item == "*" || item == TrimETag(etag)) return true;
    if (comma == std::string_view::npos) return false;
    condition.remove_prefix(comma + 1);
  }
}

}  // namespace bucketline::serve
