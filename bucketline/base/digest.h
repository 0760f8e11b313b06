// Digest: a checksum of a body that arrives piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace bucketline {

class Digest {
 public:
  virtual ~Digest() = default;
  virtual void Update(std::span<const uint8_t> data) = 0;
  // Big-endian for CRCs, as S3 encodes them. Call once.
  virtual std::vector<uint8_t> Finish() = 0;
};

// "md5", "sha1", "sha256", "crc32", "crc32c", "crc64nvme" (names as in x-amz-checksum-NAME); nullptr for
// others.
std::unique_ptr<Digest> MakeDigest(std::string_view algorithm);

}  // namespace bucketline
