#include "bucketline/pack/recompress.h"

#include <algorithm>

#include "bucketline/image/jpeg_encode.h"

namespace bucketline {
namespace {

// `side` in the proportion of `to` to `from`, rounded.
int Scaled(int side, int from, int to) {
  const int64_t twice = int64_t{2} * side * to + from;
  return static_cast<int>(std::max<int64_t>(twice / (int64_t{2} * from), 1));
}

}  // namespace

Recompression::Recompression(std::span<const uint8_t> data, const RecompressRule& rule)
    : data_(data), rule_(rule), info_(ProbeImage(data)) {
  spec_.channels = info_.channels <= 2 ? 1 : 3;
  spec_.type = PixelType::kUint8;
  spec_.layout = PixelLayout::kNhwc;
  spec_.orient = true;
  const ImageSize own = OwnSize(info_, spec_);
  const int shorter = std::min(own.height, own.width);
  const bool smaller = shorter > rule.short_side;
  spec_.height = smaller ? Scaled(own.height, shorter, rule.short_side) : own.height;
  spec_.width = smaller ? Scaled(own.width, shorter, rule.short_side) : own.width;
  needed_ = smaller || info_.format != ImageFormat::kJpeg;
}

uint64_t Recompression::memory() const {
  return ImageDecoder::ScratchBytes(info_, spec_) +
         2 * spec_.RowBytes();  // the encoder's output grows by doubling
}

std::vector<uint8_t> Recompression::Run(ImageDecoder& decoder) const {
  std::vector<uint8_t> pixels(spec_.RowBytes());
  decoder.DecodeInto(data_, spec_, CounterRng(0, 0, 0), pixels);
  return EncodeJpeg(pixels, spec_.width, spec_.height, spec_.channels, rule_.quality);
}

}  // namespace bucketline
