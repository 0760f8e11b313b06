#include "bucketline/serve/xml_answers.h"

#include <array>
#include <chrono>
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "bucketline/s3/percent_encoding.h"

namespace bucketline::serve {
namespace {

constexpr char kNamespace[] = "http://s3.amazonaws.com/doc/2006-03-01/";

void Add(pugi::xml_node node, const char* name, const std::string& text) {
  node.append_child(name).text().set(text.c_str());
}

class Document {
 public:
  Document(const char* root, bool with_namespace) {
    pugi::xml_node declaration = document_.append_child(pugi::node_declaration);
    declaration.append_attribute("version") = "1.0";
    declaration.append_attribute("encoding") = "UTF-8";
    root_ = document_.append_child(root);
    if (with_namespace) root_.append_attribute("xmlns") = kNamespace;
  }
  pugi::xml_node root() { return root_; }
  std::string Text() const {
    std::ostringstream out;
    document_.save(out, "", pugi::format_raw, pugi::encoding_utf8);
    return out.str();
  }

 private:
  pugi::xml_document document_;
  pugi::xml_node root_;
};

const char* TrueFalse(bool value) { return value ? "true" : "false"; }

}  // namespace

std::string FormatIsoDate(WallTime time) {
  using namespace std::chrono;
  const auto midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{floor<milliseconds>(time - midnight)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string FormatHttpDate(WallTime time) {
  using namespace std::chrono;
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{floor<seconds>(time - midnight)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday{midnight}.c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string ErrorXml(const S3Failure& failure, std::string_view resource, std::string_view request_id) {
  Document document("Error", false);
  Add(document.root(), "Code", failure.code());
  Add(document.root(), "Message", failure.message());
  for (const auto& [name, value] : failure.details()) Add(document.root(), name.c_str(), value);
  Add(document.root(), "Resource", std::string(resource));
  Add(document.root(), "RequestId", std::string(request_id));
  return document.Text();
}

std::string BucketsXml(const std::vector<BucketInfo>& buckets) {
  Document document("ListAllMyBucketsResult", true);
  pugi::xml_node owner = document.root().append_child("Owner");
  Add(owner, "ID", "bucketline");
  pugi::xml_node list = document.root().append_child("Buckets");
  for (const BucketInfo& bucket : buckets) {
    pugi::xml_node node = list.append_child("Bucket");
    Add(node, "Name", bucket.name);
    Add(node, "CreationDate", FormatIsoDate(bucket.created));
  }
  return document.Text();
}

std::string LocationXml(std::string_view region) {
  Document document("LocationConstraint", true);
  if (region != "us-east-1")
    document.root().text().set(std::string(region).c_str());  // S3 leaves its first region out
  return document.Text();
}

std::string ListObjectsXml(const ListObjectsAnswer& answer) {
  Document document("ListBucketResult", true);
  pugi::xml_node root = document.root();
  const auto key_text = [&answer](const std::string& key) {
    return answer.url_encoded ? EncodePath(key) : key;
  };
  Add(root, "Name", answer.bucket);
  Add(root, "Prefix", key_text(answer.prefix));
  if (!answer.delimiter.empty()) Add(root, "Delimiter", key_text(answer.delimiter));
  if (!answer.start_after.empty()) Add(root, "StartAfter", key_text(answer.start_after));
  if (!answer.token.empty()) Add(root, "ContinuationToken", answer.token);
  if (!answer.page.next_token.empty()) Add(root, "NextContinuationToken", answer.page.next_token);
  if (answer.url_encoded) Add(root, "EncodingType", "url");
  Add(root, "KeyCount", std::to_string(answer.page.objects.size() + answer.page.prefixes.size()));
  Add(root, "MaxKeys", std::to_string(answer.max_keys));
  Add(root, "IsTruncated", TrueFalse(!answer.page.next_token.empty()));
  for (const ObjectInfo& object : answer.page.objects) {
    pugi::xml_node node = root.append_child("Contents");
    Add(node, "Key", key_text(object.key));
    Add(node, "LastModified", FormatIsoDate(object.last_modified));
    Add(node, "ETag", object.etag);
    Add(node, "Size", std::to_string(object.size));
    Add(node, "StorageClass", "STANDARD");
  }
  for (const std::string& prefix : answer.page.prefixes) {
    Add(root.append_child("CommonPrefixes"), "Prefix", key_text(prefix));
  }
  return document.Text();
}

std::string DeletedXml(const std::vector<DeletedKey>& keys, bool quiet) {
  Document document("DeleteResult", true);
  for (const DeletedKey& deleted : keys) {
    if (deleted.failure) {
      pugi::xml_node node = document.root().append_child("Error");
      Add(node, "Key", deleted.key);
      Add(node, "Code", deleted.failure->code());
      Add(node, "Message", deleted.failure->message());
    } else if (!quiet) {
      Add(document.root().append_child("Deleted"), "Key", deleted.key);
    }
  }
  return document.Text();
}

std::string UploadCreatedXml(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  Document document("InitiateMultipartUploadResult", true);
  Add(document.root(), "Bucket", std::string(bucket));
  Add(document.root(), "Key", std::string(key));
  Add(document.root(), "UploadId", std::string(upload_id));
  return document.Text();
}

std::string UploadCompletedXml(std::string_view bucket, std::string_view key, std::string_view etag) {
  Document document("CompleteMultipartUploadResult", true);
  Add(document.root(), "Location", fmt::format("/{}/{}", bucket, EncodePath(key)));
  Add(document.root(), "Bucket", std::string(bucket));
  Add(document.root(), "Key", std::string(key));
  Add(document.root(), "ETag", std::string(etag));
  return document.Text();
}

std::string PartsXml(const ListPartsAnswer& answer) {
  Document document("ListPartsResult", true);
  pugi::xml_node root = document.root();
  Add(root, "Bucket", answer.bucket);
  Add(root, "Key", answer.key);
  Add(root, "UploadId", answer.upload_id);
  Add(root, "PartNumberMarker", std::to_string(answer.marker));
  if (answer.truncated) Add(root, "NextPartNumberMarker", std::to_string(answer.parts.back().number));
  Add(root, "MaxParts", std::to_string(answer.max_parts));
  Add(root, "IsTruncated", TrueFalse(answer.truncated));
  for (const PartInfo& part : answer.parts) {
    pugi::xml_node node = root.append_child("Part");
    Add(node, "PartNumber", std::to_string(part.number));
    Add(node, "LastModified", FormatIsoDate(part.last_modified));
    Add(node, "ETag", part.etag);
    Add(node, "Size", std::to_string(part.size));
  }
  return document.Text();
}

}  // namespace bucketline::serve
