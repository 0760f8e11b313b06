// PngReader: the rows of a PNG by libspng.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <spng.h>

#include "bucketline/image/pixel_reader.h"
#include "bucketline/image/png_chunks.h"

namespace bucketline {

// Palettes are expanded, 16-bit samples keep their high byte, 1 to 4 bits are stretched to 0..255, alpha and
// tRNS are dropped, gamma is not applied. Work stops at the window's last row, except for interlaced images.
class PngReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override;
  void Start(const PixelWindow& window, const ImageSpec& spec) override;
  const uint8_t* NextRow() override;
  void Close() override;

  // Upper bound on the memory of libspng and of the row or image buffer.
  static size_t ScratchBytes(const ImageInfo& info);

 private:
  struct Free {
    void operator()(spng_ctx* context) const { spng_ctx_free(context); }
  };
  void ReadRow();

  std::unique_ptr<spng_ctx, Free> context_;
  PngChunks chunks_;
  ImageInfo info_{};
  std::vector<uint8_t> pixels_;  // RGB: one row, or the whole image when interlaced
  std::vector<uint8_t> grey_;
  size_t row_bytes_ = 0;
  int left_ = 0;
  int columns_ = 0;
  int next_row_ = 0;  // of an interlaced image
  bool one_channel_ = false;
};

}  // namespace bucketline
