#include "bucketline/image/png_chunks.h"

#include <algorithm>
#include <cstring>

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
  while (rest_.size() >= kHeadBytes) {
    const size_t bytes = std::min(ChunkBytes(rest_), rest_.size());
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

}  // namespace bucketline
