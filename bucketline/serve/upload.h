// Upload: the body of a PutObject or UploadPart on its way into a store: unwrapped, verified, written,
// committed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bucketline/base/digest.h"
#include "bucketline/serve/aws_chunked.h"
#include "bucketline/serve/chunk_signature.h"
#include "bucketline/serve/request.h"
#include "bucketline/store/object_store.h"

namespace bucketline::serve {

// What a request's headers promise about its body.
struct BodyPromise {
  struct Checksum {
    std::string algorithm;  // as MakeDigest knows it
    std::string expected;   // base64; empty: it comes in the trailer "x-amz-checksum-<algorithm>"
  };
  bool chunked = false;    // aws-chunked
  uint64_t length = 0;     // of the data
  std::string sha256_hex;  // empty: not promised
  std::vector<Checksum> checksums;
};

// Throws S3Failure: MissingContentLength, InvalidDigest, NotImplemented (an unknown checksum).
BodyPromise ReadBodyPromise(const Request& request);

// Verifies a whole small body. Throws S3Failure: BadDigest, XAmzContentSHA256Mismatch.
void CheckBody(const Request& request, std::string_view body);

// Blocks as its writer does. Destroying it before Finish leaves nothing behind.
class Upload {
 public:
  Upload(BodyPromise promise, std::optional<ChunkSigner> signer, std::unique_ptr<ObjectWriter> writer);

  // The next piece of the body as it is on the wire. Throws S3Failure, Error.
  void Write(std::span<const uint8_t> piece);

  // Verifies every promise, then commits. Throws S3Failure (IncompleteBody, BadDigest,
  // XAmzContentSHA256Mismatch, SignatureDoesNotMatch), Error.
  ObjectInfo Finish();

 private:
  struct Running {
    std::unique_ptr<Digest> digest;
    BodyPromise::Checksum promised;
  };
  void WriteData(std::span<const uint8_t> data);
  void CheckDigests();

  BodyPromise promise_;
  std::unique_ptr<ObjectWriter> writer_;
  std::optional<ChunkedDecoder> decoder_;
  std::unique_ptr<Digest> sha256_;
  std::vector<Running> running_;
  uint64_t written_ = 0;
};

}  // namespace bucketline::serve
