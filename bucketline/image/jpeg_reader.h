// JpegReader: the rows of a JPEG by libjpeg-turbo, crop-aware.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bucketline/image/jpeg_session.h"
#include "bucketline/image/pixel_reader.h"

namespace bucketline {

// Grey is replicated, CMYK and YCCK are converted. The inverse DCT runs only in the window's columns and
// rows, and entropy decoding stops at the window's last row: damage behind it goes unnoticed. The pixels
// equal those of a full decode.
class JpegReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override;
  void Start(const PixelWindow& window, const ImageSpec& spec) override;
  const uint8_t* NextRow() override;
  void Close() override;

  // Upper bound on the memory of libjpeg and of the row buffer.
  static size_t ScratchBytes(const ImageInfo& info);

 private:
  void ChooseColours(const ImageSpec& spec);
  void CropColumns(const PixelWindow& window);
  void SkipRows(int count);
  void ReadRow();

  JpegSession session_;
  std::vector<uint8_t> row_;
  size_t offset_ = 0;  // in the row, of the window's first pixel
  int columns_ = 0;    // of the window
  bool from_cmyk_ = false;
  bool to_grey_ = false;
  bool inverted_ = false;
  bool tensorflow_ = false;
};

}  // namespace bucketline
