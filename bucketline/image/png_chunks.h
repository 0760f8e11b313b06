// PngChunks: a PNG's bytes without its ancillary chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bucketline {

// Colour profiles, text, time and transparency are of no use here, but inflating them costs time and memory
// that the dimensions do not tell. So the decoder only sees the chunks that make pixels: those with an
// upper-case first letter.
class PngChunks {
 public:
  PngChunks() = default;
  explicit PngChunks(std::span<const uint8_t> data);

  // Copies the next `size` bytes to `out`; false when fewer are left.
  bool Read(uint8_t* out, size_t size);

 private:
  void NextPiece();

  std::span<const uint8_t> rest_;   // behind the piece
  std::span<const uint8_t> piece_;  // the signature or a whole chunk, as far as it is there
};

}  // namespace bucketline
