#include "bucketline/s3/s3_list.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "bucketline/s3/s3_xml.h"
#include "bucketline/s3/version_marker.h"
#include "bucketline/store/list_page.h"

namespace bucketline {
namespace {

// What would break the promises of a page, or make the caller ask for ever.
Result<void> CheckPage(const ListRequest& request, const ListPage& page) {
  if (!page.next_token.empty() && page.next_token == request.token) {
    return Error(ErrorCode::kUnavailable,
                 "the store's listing does not advance: it gave the same token twice");
  }
  const auto not_ascending = [](const ObjectInfo& a, const ObjectInfo& b) { return a.key >= b.key; };
  if (std::adjacent_find(page.objects.begin(), page.objects.end(), not_ascending) != page.objects.end()) {
    return Error(ErrorCode::kUnsupported,
                 "the store lists keys out of bytewise order, as directory buckets do; it cannot be read as "
                 "a data set");
  }
  return {};
}

void AskForObjects(const ListRequest& request, S3Request* s3) {
  s3->query.emplace_back("list-type", "2");
  if (!request.token.empty()) {
    s3->query.emplace_back("continuation-token", request.token);
  } else if (!request.start_after.empty()) {
    s3->query.emplace_back("start-after", request.start_after);
  }
}

void AskForVersions(const ListRequest& request, S3Request* s3) {
  s3->query.emplace_back("versions", "");
  const VersionMarker marker =
      request.token.empty() ? VersionMarker{.key = request.start_after} : MarkerOf(request.token);
  if (!marker.key.empty()) s3->query.emplace_back("key-marker", marker.key);
  if (!marker.version.empty()) s3->query.emplace_back("version-id-marker", marker.version);
}

// versitygw begins a page with the version that the page before ended with, S3 with the one after it.
void DropMarked(const ListRequest& request, ListPage* page) {
  const VersionMarker marker = MarkerOf(request.token);
  std::erase_if(page->objects, [&](const ObjectInfo& object) {
    return object.key == marker.key && object.version == marker.version;
  });
}

}  // namespace

S3Request MakeListRequest(const ListRequest& request) {
  S3Request s3;
  s3.query = {{"encoding-type", "url"}, {"max-keys", std::to_string(request.max_keys)}};
  if (!request.prefix.empty()) s3.query.emplace_back("prefix", request.prefix);
  if (!request.delimiter.empty()) s3.query.emplace_back("delimiter", request.delimiter);
  if (request.versions) {
    AskForVersions(request, &s3);
  } else {
    AskForObjects(request, &s3);
  }
  return s3;
}

void StartList(S3Client& client, ListRequest request, std::function<void(Result<ListPage>)> done) {
  S3Request s3 = MakeListRequest(request);
  s3.subject = client.UriOf(request.prefix);
  if (auto checked = Catch([&] { CheckListLimits(request); }); !checked) {
    return client.Later(
        [done = std::move(done), error = checked.error().WithUri(s3.subject)] { done(error); });
  }
  const S3ErrorContext context = client.ContextOf(s3);
  const std::stop_token stop = request.stop;
  const auto page = std::make_shared<ListPage>();
  auto receiver = std::make_shared<DocumentReceiver>(
      context,
      [context, page, request = std::move(request)](const HttpResponseHead& head,
                                                    std::string_view body) -> std::optional<S3Failure> {
        auto parsed = request.versions ? ParseVersionsPage(body) : ParseListPage(body);
        if (!parsed && parsed.error().code() != ErrorCode::kUnsupported) {
          return FailureOfDocument(context, head, body, parsed.error());
        }
        if (parsed && request.versions) DropMarked(request, &*parsed);
        const Result<void> good = parsed ? CheckPage(request, *parsed) : Result<void>(parsed.error());
        if (!good) {
          return S3Failure{Error(good.error().code(), good.error().message(), context.uri, head.status,
                                 RequestIdOf(head.headers))};
        }
        *page = std::move(*parsed);
        return std::nullopt;
      });
  client.Start(std::move(s3), std::move(receiver), stop, [page, done = std::move(done)](S3Outcome outcome) {
    if (outcome.failure) return done(outcome.failure->error);
    done(std::move(*page));
  });
}

}  // namespace bucketline
