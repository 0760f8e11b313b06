#include "bucketline/serve/aws_chunked.h"

#include <algorithm>
#include <charconv>

#include "bucketline/serve/s3_failure.h"

namespace bucketline::serve {
namespace {

constexpr size_t kMaxLine = 4096;
constexpr size_t kMaxTrailers = 16;

[[noreturn]] void BadFraming() { throw S3Failure("InvalidRequest", "The aws-chunked body is malformed."); }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

void ChunkedDecoder::Decode(std::span<const uint8_t> piece, const Sink& sink) {
  while (!piece.empty()) {
    if (state_ == State::kDone) BadFraming();
    if (state_ == State::kData) {
      const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, piece.size()));
      if (digest_) digest_->Update(piece.first(size));
      sink(piece.first(size));
      left_ -= size;
      piece = piece.subspan(size);
      if (left_ == 0) state_ = State::kDataEnd;
      continue;
    }
    const auto newline = std::ranges::find(piece, uint8_t{'\n'});
    line_.append(piece.begin(), newline);
    if (line_.size() > kMaxLine) BadFraming();
    if (newline == piece.end()) return;
    piece = piece.subspan(static_cast<size_t>(newline - piece.begin()) + 1);
    if (!line_.ends_with('\r')) BadFraming();
    line_.pop_back();
    const std::string line = std::exchange(line_, {});
    OnLine(line);
  }
}

void ChunkedDecoder::OnLine(std::string_view line) {
  switch (state_) {
    case State::kChunkHead:
      OnChunkHead(line);
      break;
    case State::kDataEnd:
      if (!line.empty()) BadFraming();
      CheckChunk();
      state_ = State::kChunkHead;
      break;
    case State::kTrailer:
      OnTrailer(line);
      break;
    case State::kData:
    case State::kDone:
      BadFraming();
  }
}

void ChunkedDecoder::OnChunkHead(std::string_view line) {
  constexpr std::string_view kSignature = "chunk-signature=";
  const size_t semicolon = line.find(';');
  const std::string_view size = Trim(line.substr(0, semicolon));
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), left_, 16);
  if (size.empty() || error != std::errc{} || end != size.data() + size.size()) BadFraming();
  expected_.clear();
  if (semicolon != std::string_view::npos) {
    const std::string_view extension = Trim(line.substr(semicolon + 1));
    if (extension.starts_with(kSignature)) expected_ = extension.substr(kSignature.size());
  }
  if (signer_) digest_ = MakeDigest("sha256");
  if (left_ > 0) {
    state_ = State::kData;
  } else {
    CheckChunk();
    state_ = State::kTrailer;
  }
}

void ChunkedDecoder::OnTrailer(std::string_view line) {
  if (line.empty()) {
    CheckTrailers();
    state_ = State::kDone;
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || trailers_.size() >= kMaxTrailers) BadFraming();
  std::string name(Trim(line.substr(0, colon)));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
  std::string value(Trim(line.substr(colon + 1)));
  if (name == "x-amz-trailer-signature") {
    trailer_signature_ = std::move(value);
  } else {
    trailers_.emplace_back(std::move(name), std::move(value));
  }
}

void ChunkedDecoder::CheckChunk() {
  if (signer_ && signer_->NextChunk(Hex(digest_->Finish())) != expected_)
    throw S3Failure("SignatureDoesNotMatch");
}

void ChunkedDecoder::CheckTrailers() const {
  if (signer_ && !trailers_.empty() && signer_->Trailers(trailers_) != trailer_signature_) {
    throw S3Failure("SignatureDoesNotMatch");
  }
}

}  // namespace bucketline::serve
