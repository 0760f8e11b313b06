// The parsers of what stores, users and clients send as text.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "fuzz/harnesses.h"

#include "bucketline/base/error.h"
#include "bucketline/dataset/braces.h"
#include "bucketline/records/label_pattern.h"
#include "bucketline/records/label_table.h"
#include "bucketline/s3/content_range.h"
#include "bucketline/s3/ini_file.h"
#include "bucketline/s3/s3_xml.h"
#include "bucketline/serve/range_header.h"
#include "bucketline/serve/request.h"
#include "bucketline/serve/s3_failure.h"
#include "bucketline/serve/xml_requests.h"

namespace bucketline::fuzz {
namespace {

std::string_view Text(std::span<const uint8_t> data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// Throws only `Failure`.
template <typename Failure, typename Work>
void Try(Work work) {
  try {
    work();
  } catch (const Failure&) {
  }
}

}  // namespace

void FuzzS3Xml(std::span<const uint8_t> data) {
  const std::string_view text = Text(data);
  ParseErrorDocument(text);
  LooksLikeXml(text);
  const auto page = ParseListPage(text);
  const auto versions = ParseVersionsPage(text);
  const auto upload = ParseUploadId(text);
  const auto etag = ParseCompletedEtag(text);
  if (!page && page.error().message().empty()) std::abort();
  if (!versions && versions.error().message().empty()) std::abort();
  if (!upload && upload.error().message().empty()) std::abort();
  if (!etag && etag.error().message().empty()) std::abort();
}

void FuzzIni(std::span<const uint8_t> data) {
  Try<Error>([&] { ParseIni(Text(data)); });
}

void FuzzContentRange(std::span<const uint8_t> data) {
  const auto range = ParseContentRange(Text(data));
  if (range && (range->last < range->first || range->size <= range->last)) std::abort();
  Try<serve::S3Failure>([&] {
    constexpr uint64_t kSize = 1000;
    const auto asked = serve::ParseRange(Text(data), kSize);
    if (asked && (asked->offset > kSize || asked->length > kSize - asked->offset)) std::abort();
  });
}

void FuzzLabels(std::span<const uint8_t> data) {
  for (const char* uri : {"s3://b/labels.csv", "s3://b/labels.json", "s3://b/labels.jsonl"}) {
    Try<Error>([&] { ReadLabelTable(uri, Text(data), "file", "label"); });
  }
}

// One line, the pattern, and the rest, a key.
void FuzzLabelPattern(std::span<const uint8_t> data) {
  const std::string_view text = Text(data);
  const size_t end = std::min(text.find('\n'), text.size());
  Try<Error>([&] {
    const LabelPattern pattern{std::string(text.substr(0, end))};
    const std::string key(text.substr(std::min(end + 1, text.size())));
    const std::optional<std::string> label = pattern.LabelOf(key);
    if (label && label->empty()) std::abort();
  });
}

// Short, as a hundred thousand texts are allowed.
void FuzzBraces(std::span<const uint8_t> data) {
  constexpr size_t kLongest = 64;
  Try<Error>([&] {
    if (ExpandBraces(Text(data).substr(0, kLongest)).empty()) std::abort();
  });
}

void FuzzServeRequest(std::span<const uint8_t> data) {
  Try<serve::S3Failure>([&] {
    serve::Request request;
    serve::ParseTarget(Text(data), request);
  });
  Try<serve::S3Failure>([&] { serve::ParseDelete(Text(data)); });
  Try<serve::S3Failure>([&] { serve::ParseComplete(Text(data)); });
  serve::NamesETag(Text(data), "0123456789abcdef0123456789abcdef");
  serve::ParseNumber(Text(data));
}

}  // namespace bucketline::fuzz
