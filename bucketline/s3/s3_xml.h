// The XML documents of S3.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bucketline/base/result.h"
#include "bucketline/store/object_store.h"

namespace bucketline {

// Every parser ignores namespaces and elements that it does not know, as S3 adds them at will.

struct S3ErrorDocument {
  std::string code;
  std::string message;
  std::string request_id;
  std::string region;       // where the bucket really is
  std::string server_time;  // of RequestTimeTooSkewed
};
// nullopt when `xml` is no <Error>. Takes what there is of a document that was cut.
std::optional<S3ErrorDocument> ParseErrorDocument(std::string_view xml);

// A broken document is kUnavailable. Keys are url-decoded only when the answer says that it encoded them.
Result<ListPage> ParseListPage(std::string_view xml);

// The current versions of a ListVersionsResult, and the token of a VersionMarker.
// An answer that lists objects instead, and one with an object that has no version, are kUnsupported.
Result<ListPage> ParseVersionsPage(std::string_view xml);

Result<std::string> ParseUploadId(std::string_view xml);  // InitiateMultipartUploadResult

Result<std::string> ParseCompletedEtag(
    std::string_view xml);  // CompleteMultipartUploadResult; "" when it has none

struct UploadedPart {
  std::string etag;
  std::string crc64nvme = {};  // base64; "" when none was sent
};
// The body of CompleteMultipartUpload: parts 1, 2, ...
std::string CompleteUploadDocument(const std::vector<UploadedPart>& parts);

// Whether this looks like XML at all.
bool LooksLikeXml(std::string_view text);

}  // namespace bucketline
