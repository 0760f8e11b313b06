// Checksums of objects, beyond length and ETag: which are asked for and sent, and how they are compared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bucketline/base/digest.h"
#include "bucketline/http/transport.h"
#include "bucketline/s3/s3_request.h"
#include "bucketline/s3/shared_profile.h"

namespace bucketline {

// What a store says about all bytes of an object.
struct ObjectChecksum {
  std::string algorithm;  // "crc64nvme", ...: as MakeDigest knows it
  std::string base64;

  friend bool operator==(const ObjectChecksum&, const ObjectChecksum&) = default;
};

// The cheapest one that these headers hold; nullopt unless they say that it is of the full object: one that is composed
// of the parts' sums cannot be computed from the bytes.
std::optional<ObjectChecksum> ChecksumOfObject(const HttpHeaders& headers);

// Compares bytes, as they arrive, with what the store said.
class ChecksumCheck {
 public:
  explicit ChecksumCheck(ObjectChecksum expected)
      : expected_(std::move(expected)), digest_(MakeDigest(expected_.algorithm)) {}

  void Update(std::span<const uint8_t> data) { digest_->Update(data); }
  // Once, after the last byte: nullopt when they agree, else "crc32c AAAA== instead of BBBB==".
  std::optional<std::string> Difference();

 private:
  const ObjectChecksum expected_;
  const std::unique_ptr<Digest> digest_;
};

// Whether S3's checksums are used where they are not required: by default with AWS itself only, as other stores refuse
// them in places. AWS_RESPONSE_CHECKSUM_VALIDATION and AWS_REQUEST_CHECKSUM_CALCULATION, or the profile's keys of these
// names in lower case without "aws_", say when_supported or when_required. Throws kInvalidArgument for anything else.
ChecksumUse ResolveChecksumUse(bool custom_endpoint, const EnvironmentVariables& variables,
                               const SharedProfile& profile);

// Adds the checksum of the body, which S3 compares and keeps: the one kind that can be combined for multipart objects.
void AddChecksum(S3Request& request, uint64_t crc64nvme);
inline constexpr const char* kSentAlgorithm = "CRC64NVME";

// As S3 writes a CRC64NVME: base64 of its bytes, the highest first.
std::string Base64Of(uint64_t crc64nvme);

}  // namespace bucketline
