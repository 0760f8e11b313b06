#include "bucketline/image/emit_row.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "bucketline/image/pixel_reader.h"

namespace bucketline {
namespace {

// Rows of this size would take the place of what decodes them in the cache of a core.
constexpr size_t kLargeRow = size_t{256} << 10;

bool CoversAll(const Placement& place) {
  return place.part_width == place.width && place.part_height == place.height;
}

}  // namespace

void RowEmitter::Prepare(const ImageSpec& spec, const RowKernels& kernels, const Placement& placement,
                         CounterRng rng, std::span<uint8_t> row) {
  channels_ = static_cast<size_t>(spec.channels);
  values_ = channels_ * static_cast<size_t>(placement.length());
  kernels_ = &kernels;
  row_ = row.data();
  type_ = spec.type;
  bytes_ = spec.BytesPerValue();
  planes_ = spec.layout == PixelLayout::kNchw ? channels_ : 1;
  run_ = values_ / planes_;
  place_ = placement;
  scale_ = spec.scale;
  jitter_ = spec.jitter.any() ? ColourJitter(spec, rng) : ColourJitter();
  if (type_ != PixelType::kUint8) {
    mean_.resize(values_);
    std_.resize(values_);
    for (size_t i = 0; i < values_; ++i) {
      const size_t c = planes_ > 1 ? i / run_ : i % channels_;
      mean_[i] = spec.mean[c];
      std_[i] = spec.std[c];
    }
    if (type_ == PixelType::kFloat16) floats_.resize(values_);
  }
  streams_ = MayStream(row.size());
  byte_store_.clear();  // an error may have left rows of another image
  float_store_.clear();
  if (placement.transposed) turned_.resize(values_ * bytes_);
  if (!CoversAll(placement)) FillPadding();
}

// Whether every run of values goes straight to the row and is whole cache lines of it.
bool RowEmitter::MayStream(size_t bytes) const {
  return type_ == PixelType::kFloat32 && bytes >= kLargeRow && !place_.transposed && CoversAll(place_) &&
         reinterpret_cast<uintptr_t>(row_) % kCacheLine == 0 && run_ * bytes_ % kCacheLine == 0;
}

// Level 0 everywhere, a value of each channel at a time: the part is written over it.
void RowEmitter::FillPadding() {
  const size_t pixels = static_cast<size_t>(place_.width) * static_cast<size_t>(place_.height);
  if (type_ == PixelType::kUint8) {
    std::memset(row_, 0, pixels * channels_);
    return;
  }
  constexpr uint8_t kBlack = 0;
  for (size_t c = 0; c < channels_; ++c) {
    uint8_t value[sizeof(float)] = {};
    const size_t index = planes_ > 1 ? c * run_ : c;
    Convert(&kBlack, index, 1, value);
    const size_t stride = planes_ > 1 ? 1 : channels_;
    const size_t first = planes_ > 1 ? c * pixels : c;
    for (size_t i = 0; i < pixels; ++i) std::memcpy(row_ + (first + i * stride) * bytes_, value, bytes_);
  }
}

void RowEmitter::Emit(int y, const uint8_t* levels) { Take(y, levels, &byte_store_); }
void RowEmitter::Emit(int y, const float* levels) { Take(y, levels, &float_store_); }

template <typename Level>
void RowEmitter::Take(int y, const Level* levels, std::vector<Level>* store) {
  if (!jitter_.any()) return EmitLevels(y, levels);
  store->resize(values_ * static_cast<size_t>(place_.rows()));
  std::memcpy(store->data() + values_ * static_cast<size_t>(y), levels, values_ * sizeof(Level));
}

void RowEmitter::Finish() {
  if (jitter_.any()) {
    FinishStore(&byte_store_);
    FinishStore(&float_store_);
  }
  if (streams_) kernels_->end_stream();
}

template <typename Level>
void RowEmitter::FinishStore(std::vector<Level>* store) {
  if (store->empty()) return;
  jitter_.Apply(store->data(), place_.length(), place_.rows(), order());
  for (int y = 0; y < place_.rows(); ++y) EmitLevels(y, store->data() + values_ * static_cast<size_t>(y));
  store->clear();
}

// `from` is the index of the first level in its row, which tells its channel.
template <typename Level>
void RowEmitter::Convert(const Level* levels, size_t from, size_t count, uint8_t* to) {
  const int n = static_cast<int>(count);
  if (type_ == PixelType::kUint8) {
    if constexpr (std::is_same_v<Level, uint8_t>) {
      std::memcpy(to, levels, count);
    } else {
      kernels_->round_f32(levels, n, to);
    }
    return;
  }
  if (type_ == PixelType::kFloat32) return Normalise(levels, from, n, reinterpret_cast<float*>(to));
  Normalise(levels, from, n, floats_.data());
  kernels_->to_half(floats_.data(), n, reinterpret_cast<uint16_t*>(to));
}

template <typename Level>
void RowEmitter::Normalise(const Level* levels, size_t from, int count, float* to) {
  const float* mean = mean_.data() + from;
  const float* std = std_.data() + from;
  if constexpr (std::is_same_v<Level, uint8_t>) {
    (streams_ ? kernels_->stream_u8 : kernels_->normalise_u8)(levels, count, scale_, mean, std, to);
  } else {
    (streams_ ? kernels_->stream_f32 : kernels_->normalise_f32)(levels, count, scale_, mean, std, to);
  }
}

template <typename Level>
void RowEmitter::EmitLevels(int y, const Level* levels) {
  const int line = place_.descending ? place_.rows() - 1 - y : y;
  if (place_.transposed) {
    for (size_t plane = 0; plane < planes_; ++plane) {
      const size_t from = plane * run_;
      Convert(levels + from, from, run_, turned_.data() + from * bytes_);
    }
    return Scatter(place_.left + line, turned_.data());
  }
  const size_t per_pixel = channels_ / planes_;
  for (size_t plane = 0; plane < planes_; ++plane) {
    const size_t from = plane * run_;
    const size_t pixel =
        (plane * static_cast<size_t>(place_.height) + static_cast<size_t>(place_.top + line)) *
            static_cast<size_t>(place_.width) +
        static_cast<size_t>(place_.left);
    Convert(levels + from, from, run_, row_ + pixel * per_pixel * bytes_);
  }
}

// One column, from the top of the part down.
void RowEmitter::Scatter(int column, const uint8_t* values) {
  const auto width = static_cast<size_t>(place_.width);
  const auto height = static_cast<size_t>(place_.height);
  const size_t size = bytes_ * channels_ / planes_;  // of a pixel in a plane
  const auto length = static_cast<size_t>(place_.length());
  for (size_t plane = 0; plane < planes_; ++plane) {
    const size_t first =
        (plane * height + static_cast<size_t>(place_.top)) * width + static_cast<size_t>(column);
    uint8_t* to = row_ + first * size;
    for (size_t i = 0; i < length; ++i, to += width * size, values += size) std::memcpy(to, values, size);
  }
}

void RowEmitter::Close() {
  GiveBack(&byte_store_);
  GiveBack(&float_store_);
}

size_t RowEmitter::ScratchBytes(const ImageSpec& spec, const Placement& placement) {
  const auto values = static_cast<size_t>(placement.length()) * static_cast<size_t>(spec.channels);
  const size_t level = spec.family == ResizeFamily::kPillow ? sizeof(uint8_t) : sizeof(float);
  const size_t store = spec.jitter.any() ? values * static_cast<size_t>(placement.rows()) * level : 0;
  return values * (3 * sizeof(float) + sizeof(float)) + store;
}

}  // namespace bucketline
