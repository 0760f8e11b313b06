// The rows of a PNG by libspng.
#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <spng.h>

#include "bucketline/base/error.h"
#include "bucketline/image/byte_reading.h"
#include "bucketline/image/colour.h"
#include "bucketline/image/exif.h"
#include "bucketline/image/formats.h"
#include "bucketline/image/png_chunks.h"

namespace bucketline {
namespace {

int ReadChunks(spng_ctx*, void* chunks, void* out, size_t bytes) {
  return static_cast<PngChunks*>(chunks)->Read(static_cast<uint8_t*>(out), bytes) ? SPNG_OK : SPNG_IO_EOF;
}

int PngOrientation(std::span<const uint8_t> data) {
  const std::span<const uint8_t> exif = FindPngChunk(data, "eXIf");
  return exif.empty() ? 1 : ExifOrientation(exif);
}

// PNG specification, 11.2.1: IHDR is the first chunk and 13 bytes long.
ImageInfo Probe(std::span<const uint8_t> data) {
  if (data.size() < 29) FailCorrupt("truncated PNG: the header is incomplete");
  if (BigEndian(data, 8, 4) != 13 || AsText(data).substr(12, 4) != "IHDR") {
    FailCorrupt("corrupt PNG: the first chunk is not a header");
  }
  ImageInfo info{ImageFormat::kPng};
  const uint32_t width = BigEndian(data, 16, 4);
  const uint32_t height = BigEndian(data, 20, 4);
  if (width == 0 || height == 0 || width > 0x7fffffff || height > 0x7fffffff) {
    FailCorrupt("corrupt PNG: bad width or height in the header");
  }
  info.width = static_cast<int>(width);
  info.height = static_cast<int>(height);
  switch (data[25]) {
    case 0:
      info.channels = 1;
      break;
    case 2:
    case 3:
      info.channels = 3;
      break;
    case 4:
      info.channels = 2;
      break;
    case 6:
      info.channels = 4;
      break;
    default:
      FailCorrupt("corrupt PNG: unknown colour type " + std::to_string(data[25]));
  }
  info.buffered = data[28] != 0;
  info.orientation = PngOrientation(data);
  return info;
}

size_t SamplesPerPixel(const spng_ihdr& header) {
  return header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ? 2 : 1;  // of numbers
}

size_t RawRowBytes(const spng_ihdr& header) {
  return (size_t{header.width} * SamplesPerPixel(header) * header.bit_depth + 7) / 8;
}

// PNG specification, 7.2: samples of less than a byte are packed from the high bits down.
void TakeNumbers(const uint8_t* row, const spng_ihdr& header, int left, int count, uint8_t* out) {
  const size_t bits = header.bit_depth;
  const size_t step = SamplesPerPixel(header) * bits;
  const unsigned mask = (1u << bits) - 1;
  size_t at = static_cast<size_t>(left) * step;
  for (int i = 0; i < count; ++i, at += step) {
    out[i] = static_cast<uint8_t>(row[at / 8] >> (8 - bits - at % 8) & mask);
  }
}

// As colours: palettes are expanded, 16-bit samples keep their high byte, 1 to 4 bits are stretched to 0..255.
// As numbers: samples of up to 8 bits as stored. Alpha and tRNS are dropped, gamma is not applied. Work stops at the
// window's last row, except for interlaced images.
class PngReader final : public PixelReader {
 public:
  ImageInfo Open(std::span<const uint8_t> data) override;
  void Start(const PixelWindow& window, const ImageSpec& spec) override;
  const uint8_t* NextRow() override;
  bool truncated() const override { return truncated_; }
  void Close() override;

 private:
  struct Free {
    void operator()(spng_ctx* context) const { spng_ctx_free(context); }
  };
  void Check(int code);
  void ChooseSamples(const ImageSpec& spec);
  void ReadRow();

  std::unique_ptr<spng_ctx, Free> context_;
  PngChunks chunks_;
  ImageInfo info_{};
  spng_ihdr header_{};
  std::vector<uint8_t> pixels_;  // RGB or raw samples: one row, or the whole image when interlaced
  std::vector<uint8_t> grey_;
  size_t row_bytes_ = 0;
  int left_ = 0;
  int columns_ = 0;
  int next_row_ = 0;  // of an interlaced image
  int format_ = SPNG_FMT_RGB8;
  bool one_channel_ = false;
  bool numbers_ = false;  // samples as stored
  bool keep_ = false;
  bool truncated_ = false;
};

// Data that ends is an error unless it is to be kept; the rows it did not fill are black.
void PngReader::Check(int code) {
  switch (code) {
    case SPNG_OK:
    case SPNG_EOI:
      return;
    case SPNG_IO_EOF:
    case SPNG_EIDAT_TOO_SHORT:
      if (!keep_) FailCorrupt("truncated PNG: the data ends before the image does");
      truncated_ = true;
      return;
    default:
      FailCorrupt(std::string("corrupt PNG: ") + spng_strerror(code));
  }
}

ImageInfo PngReader::Open(std::span<const uint8_t> data) {
  info_ = Probe(data);
  keep_ = truncated_ = false;
  context_.reset(spng_ctx_new(0));  // libspng cannot reuse one
  if (!context_) throw std::bad_alloc();
  Check(spng_set_image_limits(context_.get(), static_cast<uint32_t>(info_.width),
                              static_cast<uint32_t>(info_.height)));
  chunks_ = PngChunks(data);
  Check(spng_set_png_stream(context_.get(), ReadChunks, &chunks_));
  Check(spng_get_ihdr(context_.get(), &header_));
  return info_;
}

void PngReader::ChooseSamples(const ImageSpec& spec) {
  one_channel_ = spec.channels == 1;
  numbers_ = spec.palette == Palette::kIndex;
  format_ = numbers_ ? SPNG_FMT_RAW : SPNG_FMT_RGB8;
  row_bytes_ = static_cast<size_t>(info_.width) * 3;
  if (!numbers_) return;
  if (header_.color_type != SPNG_COLOR_TYPE_INDEXED && info_.channels > 2) {
    FailCorrupt("this PNG holds colours, and palette = index asks for numbers: a palette or grey levels");
  }
  if (header_.bit_depth > 8) {
    FailCorrupt("this PNG has 16 bits a sample, and palette = index has room for 8");
  }
  row_bytes_ = RawRowBytes(header_);
}

void PngReader::Start(const PixelWindow& window, const ImageSpec& spec) {
  keep_ = spec.truncated == Truncated::kKeep;
  if (keep_) chunks_.MendCut();
  left_ = window.left;
  columns_ = window.right - window.left;
  ChooseSamples(spec);
  if (one_channel_) grey_.resize(static_cast<size_t>(columns_) + kRowSlack);
  if (info_.buffered) {
    const size_t bytes = row_bytes_ * static_cast<size_t>(info_.height);
    pixels_.assign(bytes + kRowSlack, 0);
    Check(spng_decode_image(context_.get(), pixels_.data(), bytes, format_, 0));
    next_row_ = window.top;
    return;
  }
  pixels_.resize(row_bytes_ + kRowSlack);
  Check(spng_decode_image(context_.get(), nullptr, 0, format_, SPNG_DECODE_PROGRESSIVE));
  for (int row = 0; row < window.top; ++row) ReadRow();
}

void PngReader::ReadRow() {
  if (!truncated_) Check(spng_decode_row(context_.get(), pixels_.data(), row_bytes_));
  if (truncated_) std::fill(pixels_.begin(), pixels_.end(), uint8_t{0});
}

const uint8_t* PngReader::NextRow() {
  const uint8_t* row = pixels_.data();
  if (info_.buffered) {
    row += row_bytes_ * static_cast<size_t>(next_row_++);
  } else {
    ReadRow();
  }
  if (numbers_) {
    TakeNumbers(row, header_, left_, columns_, grey_.data());
    return grey_.data();
  }
  row += static_cast<size_t>(left_) * 3;
  if (!one_channel_) return row;
  if (info_.channels <= 2) {
    TakeFirstOfThree(row, columns_, grey_.data());
  } else {
    RgbToGrey(row, columns_, grey_.data());
  }
  return grey_.data();
}

void PngReader::Close() {
  context_.reset();
  GiveBack(&pixels_);
  GiveBack(&grey_);
}

size_t ScratchBytes(const ImageInfo& info) {
  const auto width = static_cast<size_t>(info.width);
  const size_t pixels = info.buffered ? width * 3 * static_cast<size_t>(info.height) : width * 3;
  constexpr size_t kFixed = 256 << 10;  // inflate's window, the context, the palette, read buffers
  const size_t scanlines = width * (8 * 2 + 8 + 1);  // two of up to 8 bytes a pixel, one converted, grey
  return kFixed + pixels + scanlines + 4 * kRowSlack;
}

bool Matches(std::span<const uint8_t> data) { return AsText(data).starts_with("\x89PNG\r\n\x1a\n"); }

std::unique_ptr<PixelReader> Make() { return std::make_unique<PngReader>(); }

}  // namespace

constinit const FormatEntry kPngFormat = {ImageFormat::kPng, Matches, Probe, ScratchBytes, Make};

}  // namespace bucketline
