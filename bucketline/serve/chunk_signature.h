// ChunkSigner: the chain of signatures of a signed aws-chunked body; each covers its chunk and its
// predecessor.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/hash.h"

namespace bucketline::serve {

// Source: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks" and
// "...with trailing headers" in the S3 API reference.
class ChunkSigner {
 public:
  // `seed` is the signature of the request's head, `scope` "date/region/s3/aws4_request".
  ChunkSigner(Sha256Digest signing_key, std::string amz_date, std::string scope, std::string seed);

  // The signature that the next chunk must carry, given the SHA-256 of its data in lower-case hexadecimal.
  std::string NextChunk(std::string_view sha256_hex);

  // The signature of the trailers, in the order of the body, without x-amz-trailer-signature itself.
  std::string Trailers(const std::vector<std::pair<std::string, std::string>>& trailers) const;

 private:
  std::string Sign(std::string_view kind, std::string_view rest) const;

  Sha256Digest signing_key_;
  std::string amz_date_;
  std::string scope_;
  std::string previous_;
};

}  // namespace bucketline::serve
