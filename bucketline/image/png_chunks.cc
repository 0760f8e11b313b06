#include "bucketline/image/png_chunks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "bucketline/image/byte_reading.h"

namespace bucketline {
namespace {

constexpr size_t kSignatureBytes = 8;
constexpr size_t kHeadBytes = 8;      // length and type
constexpr size_t kFramingBytes = 12;  // these and the checksum

size_t ChunkBytes(std::span<const uint8_t> data) {
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) length = length << 8 | data[i];
  return length + kFramingBytes;
}

bool IsAncillary(std::span<const uint8_t> data) { return (data[4] & 0x20) != 0; }

}  // namespace

PngChunks::PngChunks(std::span<const uint8_t> data)
    : rest_(data.subspan(std::min(kSignatureBytes, data.size()))),
      piece_(data.first(std::min(kSignatureBytes, data.size()))) {}

void PngChunks::NextPiece() {
  if (mended_) {
    piece_ = std::exchange(rest_, {});
    return;
  }
  while (rest_.size() >= kHeadBytes) {
    const size_t bytes = std::min(ChunkBytes(rest_), rest_.size());
    if (mend_ && bytes < ChunkBytes(rest_) && !IsAncillary(rest_)) {
      const size_t length = rest_.size() - kHeadBytes;
      for (size_t i = 0; i < 4; ++i) head_[i] = static_cast<uint8_t>(length >> (24 - 8 * i));
      std::copy(rest_.begin() + 4, rest_.begin() + 8, head_.begin() + 4);
      mended_ = true;
      piece_ = head_;
      rest_ = rest_.subspan(kHeadBytes);
      return;
    }
    piece_ = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    if (!IsAncillary(piece_)) return;
  }
  piece_ = {};
}

bool PngChunks::Read(uint8_t* out, size_t size) {
  while (size > 0) {
    if (piece_.empty()) {
      NextPiece();
      if (piece_.empty()) return false;
    }
    const size_t bytes = std::min(size, piece_.size());
    std::memcpy(out, piece_.data(), bytes);
    piece_ = piece_.subspan(bytes);
    out += bytes;
    size -= bytes;
  }
  return true;
}

std::span<const uint8_t> FindPngChunk(std::span<const uint8_t> data, std::string_view type) {
  data = data.subspan(std::min(kSignatureBytes, data.size()));
  while (data.size() >= kFramingBytes) {
    const size_t bytes = ChunkBytes(data);
    if (bytes > data.size()) return {};
    if (AsText(data).substr(4, 4) == type) return data.subspan(kHeadBytes, bytes - kFramingBytes);
    data = data.subspan(bytes);
  }
  return {};
}

}  // namespace bucketline
