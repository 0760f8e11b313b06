// PngChunks: a PNG's bytes without its ancillary chunks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bucketline {

// Colour profiles, text, time and transparency are of no use here, but inflating them costs time and memory
// that the dimensions do not tell. So the decoder only sees the chunks that make pixels: those with an
// upper-case first letter.
class PngChunks {
 public:
  PngChunks() = default;
  explicit PngChunks(std::span<const uint8_t> data);

  // From here on a chunk that is cut off is given as one of the length that is there, so that what is left of
  // it can be used.
  void MendCut() { mend_ = true; }

  // Copies the next `size` bytes to `out`; false when fewer are left.
  bool Read(uint8_t* out, size_t size);

 private:
  void NextPiece();

  std::span<const uint8_t> rest_;   // behind the piece
  std::span<const uint8_t> piece_;  // the signature or a whole chunk, as far as it is there
  std::array<uint8_t, 8> head_{};   // of a mended chunk
  bool mend_ = false;
  bool mended_ = false;  // `rest_` is the content of the last chunk
};

// The content of the first chunk of this type, empty when there is none or it is cut off.
std::span<const uint8_t> FindPngChunk(std::span<const uint8_t> data, std::string_view type);

}  // namespace bucketline
