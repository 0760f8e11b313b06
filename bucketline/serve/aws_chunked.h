// ChunkedDecoder: unwraps "Content-Encoding: aws-chunked" bodies, signed or not, with or without trailers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bucketline/base/digest.h"
#include "bucketline/serve/chunk_signature.h"

namespace bucketline::serve {

class ChunkedDecoder {
 public:
  using Sink = std::function<void(std::span<const uint8_t>)>;

  // With a signer every chunk, and the trailers if there are any, must carry the right signature.
  explicit ChunkedDecoder(std::optional<ChunkSigner> signer) : signer_(std::move(signer)) {}

  // Gives the data inside `piece` to `sink`. Throws S3Failure: InvalidRequest for bad framing,
  // SignatureDoesNotMatch; and what `sink` throws.
  void Decode(std::span<const uint8_t> piece, const Sink& sink);

  bool complete() const { return state_ == State::kDone; }  // the last chunk and the trailers are in
  // Names in lower case; valid once complete.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }

 private:
  enum class State { kChunkHead, kData, kDataEnd, kTrailer, kDone };
  void OnLine(std::string_view line);
  void OnChunkHead(std::string_view line);
  void OnTrailer(std::string_view line);
  void CheckChunk();
  void CheckTrailers() const;

  State state_ = State::kChunkHead;
  std::string line_;      // of a head or trailer, as far as it has arrived
  uint64_t left_ = 0;     // bytes of the current chunk still to come
  std::string expected_;  // the current chunk's signature
  std::string trailer_signature_;
  std::optional<ChunkSigner> signer_;
  std::unique_ptr<Digest> digest_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

}  // namespace bucketline::serve
