#include "bucketline/serve/upload.h"

#include <algorithm>
#include <string_view>

#include "bucketline/base/hash.h"
#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {
namespace {

constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";

std::string OrEmpty(const std::string* text) { return text != nullptr ? *text : std::string(); }

uint64_t ReadLength(const Request& request, bool chunked) {
  const std::string* header = request.Header(chunked ? "x-amz-decoded-content-length" : "content-length");
  if (header == nullptr) throw S3Failure("MissingContentLength");
  const std::optional<uint64_t> length = ParseNumber(*header);
  if (!length) throw S3Failure("InvalidRequest", "The body's length is not a number.");
  return *length;
}

bool IsHex64(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<BodyPromise::Checksum> ReadChecksums(const Request& request) {
  std::vector<BodyPromise::Checksum> checksums;
  for (const auto& [name, value] : request.headers) {
    if (name == "content-md5") {
      constexpr size_t kMd5Base64 = 24;
      if (value.size() != kMd5Base64) throw S3Failure("InvalidDigest");
      checksums.push_back({"md5", value});
    } else if (name.starts_with(kChecksumPrefix) && name != "x-amz-checksum-type" &&
               name != "x-amz-checksum-mode" && name != "x-amz-checksum-algorithm") {
      checksums.push_back({name.substr(kChecksumPrefix.size()), value});
    } else if (name == "x-amz-trailer" && value.starts_with(kChecksumPrefix)) {
      checksums.push_back({value.substr(kChecksumPrefix.size()), ""});
    }
  }
  for (const BodyPromise::Checksum& checksum : checksums) {
    if (!MakeDigest(checksum.algorithm)) {
      throw S3Failure("NotImplemented",
                      "This endpoint does not know the checksum " + checksum.algorithm + ".");
    }
  }
  return checksums;
}

}  // namespace

BodyPromise ReadBodyPromise(const Request& request) {
  BodyPromise promise;
  const std::string payload = OrEmpty(request.Header("x-amz-content-sha256"));
  promise.chunked = payload.starts_with("STREAMING-") ||
                    OrEmpty(request.Header("content-encoding")).find("aws-chunked") != std::string::npos;
  promise.length = ReadLength(request, promise.chunked);
  if (IsHex64(payload)) {
    promise.sha256_hex = payload;
  } else if (!payload.empty() && payload != "UNSIGNED-PAYLOAD" && !promise.chunked) {
    throw S3Failure("InvalidArgument",
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-... or a SHA-256.");
  }
  promise.checksums = ReadChecksums(request);
  return promise;
}

void CheckBody(const Request& request, std::string_view body) {
  const std::string payload = OrEmpty(request.Header("x-amz-content-sha256"));
  if (IsHex64(payload) && Hex(Sha256(body)) != payload) throw S3Failure("XAmzContentSHA256Mismatch");
  for (const BodyPromise::Checksum& checksum : ReadChecksums(request)) {
    const std::unique_ptr<Digest> digest = MakeDigest(checksum.algorithm);
    digest->Update({reinterpret_cast<const uint8_t*>(body.data()), body.size()});
    if (!checksum.expected.empty() && Base64(digest->Finish()) != checksum.expected)
      throw S3Failure("BadDigest");
  }
}

Upload::Upload(BodyPromise promise, std::optional<ChunkSigner> signer, std::unique_ptr<ObjectWriter> writer)
    : promise_(std::move(promise)), writer_(std::move(writer)) {
  if (promise_.chunked) decoder_.emplace(std::move(signer));
  if (!promise_.sha256_hex.empty()) sha256_ = MakeDigest("sha256");
  for (const BodyPromise::Checksum& checksum : promise_.checksums) {
    running_.push_back({MakeDigest(checksum.algorithm), checksum});
  }
}

void Upload::Write(std::span<const uint8_t> piece) {
  if (decoder_) {
    decoder_->Decode(piece, [this](std::span<const uint8_t> data) { WriteData(data); });
  } else {
    WriteData(piece);
  }
}

void Upload::WriteData(std::span<const uint8_t> data) {
  written_ += data.size();
  if (written_ > promise_.length)
    throw S3Failure("IncompleteBody", "The body is longer than it promised to be.");
  if (sha256_) sha256_->Update(data);
  for (Running& running : running_) running.digest->Update(data);
  writer_->Write(data);
}

ObjectInfo Upload::Finish() {
  if (written_ != promise_.length || (decoder_ && !decoder_->complete())) throw S3Failure("IncompleteBody");
  CheckDigests();
  return writer_->Commit();
}

void Upload::CheckDigests() {
  if (sha256_ && Hex(sha256_->Finish()) != promise_.sha256_hex) throw S3Failure("XAmzContentSHA256Mismatch");
  for (Running& running : running_) {
    std::string expected = running.promised.expected;
    if (expected.empty() && decoder_) {
      const std::string name = std::string(kChecksumPrefix) + running.promised.algorithm;
      for (const auto& [trailer, value] : decoder_->trailers()) {
        if (trailer == name) expected = value;
      }
    }
    if (Base64(running.digest->Finish()) != expected) throw S3Failure("BadDigest");
  }
}

}  // namespace bucketline::serve
