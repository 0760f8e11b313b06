#include "bucketline/image/emit_row.h"

#include <cstring>
#include <type_traits>

namespace bucketline {

void RowEmitter::Prepare(const ImageSpec& spec, const RowKernels& kernels, int width, int height,
                         std::span<uint8_t> row) {
  const auto channels = static_cast<size_t>(spec.channels);
  const size_t values = channels * static_cast<size_t>(width);
  kernels_ = &kernels;
  row_ = row.data();
  type_ = spec.type;
  planes_ = spec.layout == PixelLayout::kNchw ? channels : 1;
  run_ = values / planes_;
  height_ = static_cast<size_t>(height);
  scale_ = spec.scale;
  if (type_ == PixelType::kUint8) return;
  mean_.resize(values);
  std_.resize(values);
  for (size_t i = 0; i < values; ++i) {
    const size_t c = planes_ > 1 ? i / run_ : i % channels;
    mean_[i] = spec.mean[c];
    std_[i] = spec.std[c];
  }
}

template <typename Level>
void RowEmitter::EmitLevels(int y, const Level* levels) const {
  const int count = static_cast<int>(run_);
  for (size_t plane = 0; plane < planes_; ++plane) {
    const size_t from = plane * run_;
    const size_t to = (plane * height_ + static_cast<size_t>(y)) * run_;
    if (type_ == PixelType::kUint8) {
      if constexpr (std::is_same_v<Level, uint8_t>) {
        std::memcpy(row_ + to, levels + from, run_);
      } else {
        kernels_->round_f32(levels + from, count, row_ + to);
      }
      continue;
    }
    float* out = reinterpret_cast<float*>(row_) + to;
    if constexpr (std::is_same_v<Level, uint8_t>) {
      kernels_->normalise_u8(levels + from, count, scale_, mean_.data() + from, std_.data() + from, out);
    } else {
      kernels_->normalise_f32(levels + from, count, scale_, mean_.data() + from, std_.data() + from, out);
    }
  }
}

template void RowEmitter::EmitLevels<uint8_t>(int, const uint8_t*) const;
template void RowEmitter::EmitLevels<float>(int, const float*) const;

}  // namespace bucketline
