#include "bucketline/serve/xml_requests.h"

#include <cstring>

#include <pugixml.hpp>

#include "bucketline/serve/request.h"
#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {
namespace {

constexpr size_t kMaxDeletes = 1000;
constexpr size_t kMaxParts = 10000;

// Keys may be blanks only, so white space in them must survive.
constexpr unsigned kOptions = pugi::parse_default | pugi::parse_ws_pcdata_single;

pugi::xml_node Load(pugi::xml_document& document, std::string_view xml, const char* root) {
  if (!document.load_buffer(xml.data(), xml.size(), kOptions)) throw S3Failure("MalformedXML");
  const pugi::xml_node node = document.child(root);
  if (!node) throw S3Failure("MalformedXML");
  return node;
}

}  // namespace

DeleteRequest ParseDelete(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = Load(document, xml, "Delete");
  DeleteRequest request;
  request.quiet = std::strcmp(root.child_value("Quiet"), "true") == 0;
  for (const pugi::xml_node object : root.children("Object")) {
    if (object.child("VersionId")) throw S3Failure("NotImplemented");
    request.keys.emplace_back(object.child_value("Key"));
    if (request.keys.back().empty() || request.keys.size() > kMaxDeletes) throw S3Failure("MalformedXML");
  }
  if (request.keys.empty()) throw S3Failure("MalformedXML");
  return request;
}

CompleteRequest ParseComplete(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = Load(document, xml, "CompleteMultipartUpload");
  CompleteRequest request;
  for (const pugi::xml_node part : root.children("Part")) {
    const std::optional<uint64_t> number = ParseNumber(part.child_value("PartNumber"));
    if (!number || *number < 1 || *number > kMaxParts || request.parts.size() >= kMaxParts) {
      throw S3Failure("MalformedXML");
    }
    request.parts.push_back({static_cast<int>(*number), part.child_value("ETag")});
  }
  if (request.parts.empty()) throw S3Failure("MalformedXML");
  return request;
}

}  // namespace bucketline::serve
