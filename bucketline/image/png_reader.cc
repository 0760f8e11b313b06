#include "bucketline/image/png_reader.h"

#include <new>
#include <string>

#include "bucketline/base/error.h"
#include "bucketline/image/colour.h"

namespace bucketline {
namespace {

int ReadChunks(spng_ctx*, void* chunks, void* out, size_t bytes) {
  return static_cast<PngChunks*>(chunks)->Read(static_cast<uint8_t*>(out), bytes) ? SPNG_OK : SPNG_IO_EOF;
}

void Check(int code) {
  if (code == SPNG_OK || code == SPNG_EOI) return;
  switch (code) {
    case SPNG_IO_EOF:
    case SPNG_EIDAT_TOO_SHORT:
      throw Error(ErrorCode::kCorruptData, "truncated PNG: the data ends before the image does");
    default:
      throw Error(ErrorCode::kCorruptData, std::string("corrupt PNG: ") + spng_strerror(code));
  }
}

}  // namespace

ImageInfo PngReader::Open(std::span<const uint8_t> data) {
  info_ = ProbeImage(data);
  context_.reset(spng_ctx_new(0));  // libspng cannot reuse one
  if (!context_) throw std::bad_alloc();
  Check(spng_set_image_limits(context_.get(), static_cast<uint32_t>(info_.width),
                              static_cast<uint32_t>(info_.height)));
  chunks_ = PngChunks(data);
  Check(spng_set_png_stream(context_.get(), ReadChunks, &chunks_));
  spng_ihdr header{};
  Check(spng_get_ihdr(context_.get(), &header));
  return info_;
}

void PngReader::Start(const PixelWindow& window, const ImageSpec& spec) {
  left_ = window.left;
  columns_ = window.right - window.left;
  one_channel_ = spec.channels == 1;
  row_bytes_ = static_cast<size_t>(info_.width) * 3;
  if (one_channel_) grey_.resize(static_cast<size_t>(columns_) + kRowSlack);
  if (info_.buffered) {
    const size_t bytes = row_bytes_ * static_cast<size_t>(info_.height);
    pixels_.resize(bytes + kRowSlack);
    Check(spng_decode_image(context_.get(), pixels_.data(), bytes, SPNG_FMT_RGB8, 0));
    next_row_ = window.top;
    return;
  }
  pixels_.resize(row_bytes_ + kRowSlack);
  Check(spng_decode_image(context_.get(), nullptr, 0, SPNG_FMT_RGB8, SPNG_DECODE_PROGRESSIVE));
  for (int row = 0; row < window.top; ++row) ReadRow();
}

void PngReader::ReadRow() { Check(spng_decode_row(context_.get(), pixels_.data(), row_bytes_)); }

const uint8_t* PngReader::NextRow() {
  const uint8_t* row = pixels_.data();
  if (info_.buffered) {
    row += row_bytes_ * static_cast<size_t>(next_row_++);
  } else {
    ReadRow();
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
  if (pixels_.capacity() > kKeepBytes) std::vector<uint8_t>().swap(pixels_);
  if (grey_.capacity() > kKeepBytes) std::vector<uint8_t>().swap(grey_);
}

size_t PngReader::ScratchBytes(const ImageInfo& info) {
  const auto width = static_cast<size_t>(info.width);
  const size_t pixels = info.buffered ? width * 3 * static_cast<size_t>(info.height) : width * 3;
  constexpr size_t kFixed = 256 << 10;  // inflate's window, the context, the palette, read buffers
  const size_t scanlines = width * (8 * 2 + 8 + 1);  // two of up to 8 bytes a pixel, one converted, grey
  return kFixed + pixels + scanlines + 4 * kRowSlack;
}

}  // namespace bucketline
