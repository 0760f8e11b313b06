// The XML documents that S3 answers with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/clock.h"
#include "bucketline/serve/buckets.h"
#include "bucketline/serve/s3_failure.h"
#include "bucketline/store/object_store.h"

namespace bucketline::serve {

std::string FormatIsoDate(WallTime time);   // "2013-05-24T00:00:00.000Z"
std::string FormatHttpDate(WallTime time);  // "Fri, 24 May 2013 00:00:00 GMT"

std::string ErrorXml(const S3Failure& failure, std::string_view resource, std::string_view request_id);
std::string BucketsXml(const std::vector<BucketInfo>& buckets);
std::string LocationXml(std::string_view region);

struct ListObjectsAnswer {
  std::string bucket;
  std::string prefix, delimiter, start_after, token;  // as asked for
  bool url_encoded = false;
  uint64_t max_keys = 1000;
  ListPage page;  // next_token as the client shall send it back
};
std::string ListObjectsXml(const ListObjectsAnswer& answer);

struct DeletedKey {
  std::string key;
  std::optional<S3Failure> failure;
};
std::string DeletedXml(const std::vector<DeletedKey>& keys, bool quiet);

std::string UploadCreatedXml(std::string_view bucket, std::string_view key, std::string_view upload_id);
std::string UploadCompletedXml(std::string_view bucket, std::string_view key, std::string_view etag);

struct PartInfo {
  int number = 0;
  uint64_t size = 0;
  std::string etag;
  WallTime last_modified{};
};
struct ListPartsAnswer {
  std::string bucket, key, upload_id;
  uint64_t marker = 0;
  uint64_t max_parts = 1000;
  bool truncated = false;
  std::vector<PartInfo> parts;
};
std::string PartsXml(const ListPartsAnswer& answer);

}  // namespace bucketline::serve
