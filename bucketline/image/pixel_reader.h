// PixelReader: the rows of a decoder library, top to bottom, only the window that is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bucketline/image/decoder.h"

namespace bucketline {

// Half-open ranges of source pixels.
struct PixelWindow {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;
};

// Bytes that may be read behind a row, so that a kernel can load four bytes for the last three.
inline constexpr size_t kRowSlack = 16;

// Larger buffers are given back after each image.
inline constexpr size_t kKeepBytes = 4 << 20;

template <typename T>
void GiveBack(std::vector<T>* vector) {
  if (vector->capacity() * sizeof(T) > kKeepBytes) std::vector<T>().swap(*vector);
}

// Open, Start, then NextRow once for each row of the window. An Open may follow at any point, also after an
// error. Every call throws kCorruptData for what cannot be decoded.
class PixelReader {
 public:
  virtual ~PixelReader() = default;

  // Reads the header. `data` must live until the last NextRow.
  virtual ImageInfo Open(std::span<const uint8_t> data) = 0;

  // The denominators of what can be decoded at a fraction of its size: 1 always works. Before Start; changes
  // the size that Start's window is in to the image's divided by `denominator`, rounded up.
  virtual void SetScale(int denominator) { (void)denominator; }

  // Precondition: the window lies in the image and is not empty. `spec` gives channels, family and what to do
  // with truncated data.
  virtual void Start(const PixelWindow& window, const ImageSpec& spec) = 0;

  // The window's next row, spec.channels interleaved bytes for each pixel; valid until the next call, with
  // kRowSlack readable bytes behind it.
  virtual const uint8_t* NextRow() = 0;

  // True once rows had to be made up because the data ended (only with Truncated::kKeep).
  virtual bool truncated() const { return false; }

  // Ends work on the current image and gives back what is large.
  virtual void Close() = 0;
};

}  // namespace bucketline
