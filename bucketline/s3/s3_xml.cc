#include "bucketline/s3/s3_xml.h"

#include <charconv>
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "bucketline/http/ascii.h"
#include "bucketline/s3/percent_encoding.h"
#include "bucketline/s3/time_format.h"
#include "bucketline/s3/version_marker.h"

namespace bucketline {
namespace {

// Blanks are data: a key may begin with one or consist of them.
constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata_single;

// The version of what was written while its bucket kept none. Such an object can be overwritten in place.
constexpr std::string_view kNoVersion = "null";

Error Broken(std::string_view what, std::string_view why) {
  return Error(
      ErrorCode::kUnavailable,
      fmt::format("the store's {} is broken XML: {}; does the endpoint speak S3, and does nothing in between "
                  "change its answers?",
                  what, why));
}

// The root element when it has the expected name.
Result<pugi::xml_node> Root(pugi::xml_document& document, std::string_view xml, const char* name) {
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size(), kParse);
  if (!parsed) return Broken(name, parsed.description());
  const pugi::xml_node root = document.child(name);
  if (!root) return Broken(name, fmt::format("it is a <{}>", document.document_element().name()));
  return root;
}

Result<ObjectInfo> ParseObject(const pugi::xml_node& entry, bool encoded) {
  ObjectInfo object;
  const char* key = entry.child_value("Key");
  object.key = encoded ? UnquotePlus(key) : key;
  const std::string_view size = entry.child_value("Size");
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), object.size);
  if (object.key.empty() || error != std::errc() || end != size.data() + size.size()) {
    return Broken(entry.parent().name(),
                  fmt::format("the entry of key '{}' has no key or no valid size", object.key));
  }
  object.etag = entry.child_value("ETag");
  object.last_modified = ParseIsoDate(entry.child_value("LastModified")).value_or(WallTime{});
  return object;
}

bool IsEncoded(const pugi::xml_node& root) {
  return std::string_view(root.child_value("EncodingType")) == "url";
}

bool IsTruncated(const pugi::xml_node& root) {
  return std::string_view(root.child_value("IsTruncated")) == "true";
}

std::vector<std::string> PrefixesOf(const pugi::xml_node& root, bool encoded) {
  std::vector<std::string> prefixes;
  for (const pugi::xml_node entry : root.children("CommonPrefixes")) {
    const char* prefix = entry.child_value("Prefix");
    prefixes.push_back(encoded ? UnquotePlus(prefix) : prefix);
  }
  return prefixes;
}

Error NoWayOn(std::string_view what) {
  return Broken(what, "it says that more follows, but not how to ask for it");
}

}  // namespace

std::optional<S3ErrorDocument> ParseErrorDocument(std::string_view xml) {
  pugi::xml_document document;
  document.load_buffer(xml.data(), xml.size());  // a cut document keeps the elements before the cut
  pugi::xml_node root = document.child("Error");
  if (!root) root = document.child("ErrorResponse").child("Error");
  if (!root) return std::nullopt;
  return S3ErrorDocument{root.child_value("Code"), root.child_value("Message"), root.child_value("RequestId"),
                         root.child_value("Region"), root.child_value("ServerTime")};
}

Result<ListPage> ParseListPage(std::string_view xml) {
  pugi::xml_document document;
  const auto root = Root(document, xml, "ListBucketResult");
  if (!root) return root.error();
  const bool encoded = IsEncoded(*root);
  ListPage page;
  for (const pugi::xml_node entry : root->children("Contents")) {
    auto object = ParseObject(entry, encoded);
    if (!object) return object.error();
    page.objects.push_back(std::move(*object));
  }
  page.prefixes = PrefixesOf(*root, encoded);
  if (IsTruncated(*root)) {
    page.next_token = root->child_value("NextContinuationToken");
    if (page.next_token.empty()) return NoWayOn("ListBucketResult");
  }
  return page;
}

Result<ListPage> ParseVersionsPage(std::string_view xml) {
  pugi::xml_document document;
  const auto root = Root(document, xml, "ListVersionsResult");
  if (document.child("ListBucketResult")) {
    return Error(ErrorCode::kUnsupported, "the store does not list versions: it answers with its objects");
  }
  if (!root) return root.error();
  const bool encoded = IsEncoded(*root);
  ListPage page;
  for (const pugi::xml_node entry : root->children("Version")) {
    if (std::string_view(entry.child_value("IsLatest")) != "true") continue;
    auto object = ParseObject(entry, encoded);
    if (!object) return object.error();
    object->version = entry.child_value("VersionId");
    if (object->version.empty() || object->version == kNoVersion) {
      return Error(
          ErrorCode::kUnsupported,
          fmt::format(
              "the object \"{}\" has no version: the bucket keeps none, or kept none when it was written",
              object->key));
    }
    page.objects.push_back(std::move(*object));
  }
  page.prefixes = PrefixesOf(*root, encoded);
  if (IsTruncated(*root)) {
    const char* key = root->child_value("NextKeyMarker");
    const VersionMarker marker{.key = encoded ? UnquotePlus(key) : key,
                               .version = root->child_value("NextVersionIdMarker")};
    if (marker.key.empty()) return NoWayOn("ListVersionsResult");
    page.next_token = TokenOf(marker);
  }
  return page;
}

Result<std::string> ParseUploadId(std::string_view xml) {
  pugi::xml_document document;
  const auto root = Root(document, xml, "InitiateMultipartUploadResult");
  if (!root) return root.error();
  std::string id = root->child_value("UploadId");
  if (id.empty()) return Broken("InitiateMultipartUploadResult", "it has no UploadId");
  return id;
}

Result<std::string> ParseCompletedEtag(std::string_view xml) {
  pugi::xml_document document;
  auto root = Root(document, xml, "CompleteMultipartUploadResult");
  // As moto, which many test with, calls it.
  if (!root && xml.find("<CompleteMultipartUploadResponse") != xml.npos) {
    root = Root(document, xml, "CompleteMultipartUploadResponse");
  }
  if (!root) return root.error();
  const std::string etag = root->child_value("ETag");
  // Ceph RGW leaves the quotes out here, and here alone.
  return etag.empty() || etag.ends_with('"') ? etag : fmt::format("\"{}\"", etag);
}

std::string CompleteUploadDocument(const std::vector<UploadedPart>& parts) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  for (unsigned long long number = 1; const UploadedPart& uploaded : parts) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text() = number++;
    part.append_child("ETag").text() = uploaded.etag.c_str();
    if (!uploaded.crc64nvme.empty())
      part.append_child("ChecksumCRC64NVME").text() = uploaded.crc64nvme.c_str();
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  return text.str();
}

bool LooksLikeXml(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == text.npos || text[first] != '<') return false;
  text.remove_prefix(first);
  const auto begins = [&](std::string_view word) {
    return EqualsIgnoringCase(text.substr(0, word.size()), word);
  };
  return !begins("<html") && !begins("<!doctype html");
}

}  // namespace bucketline
