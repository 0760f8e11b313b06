#include "bucketline/image/row_resizer.h"

#include <type_traits>

namespace bucketline {
namespace {

template <typename T>
void GiveBack(std::vector<T>* vector) {
  if (vector->capacity() * sizeof(T) > kKeepBytes) std::vector<T>().swap(*vector);
}

template <typename T>
size_t Capacity(const std::vector<T>& vector) {
  return vector.capacity() * sizeof(T);
}

// Rows start on their own cache line.
size_t Stride(size_t values) { return (values + kOutputSlack + 63) / 64 * 64; }

template <typename Level, typename Weight>
void Horizontal(const RowKernels& kernels, const uint8_t* row, const AxisWeights<Weight>& x, int channels,
                RowOrder order, Level* out) {
  if constexpr (std::is_same_v<Level, float>) {
    kernels.horizontal_f32(row, x, channels, order, out);
  } else {
    kernels.horizontal_u8(row, x, channels, order, out);
  }
}

template <typename Level, typename Weight>
void Vertical(const RowKernels& kernels, const Level* const* rows, const Weight* weights, int taps, int count,
              Level* out) {
  if constexpr (std::is_same_v<Level, float>) {
    kernels.vertical_f32(rows, weights, taps, count, out);
  } else {
    kernels.vertical_u8(rows, weights, taps, count, out);
  }
}

}  // namespace

template <typename Level, typename Weight>
void RowResizer<Level, Weight>::Run(PixelReader& reader, const RowKernels& kernels, int channels,
                                    const RowEmitter& emitter) {
  const int values = x.size * channels;
  const auto taps = static_cast<size_t>(y.taps);
  ring_stride_ = Stride(static_cast<size_t>(values));
  ring_.resize(ring_stride_ * taps);
  output_.resize(ring_stride_);
  rows_.resize(taps);
  int done = 0;
  for (int row = 0; row < y.end - y.begin && done < y.size; ++row) {
    const uint8_t* pixels = reader.NextRow();
    if (row < y.start[static_cast<size_t>(done)]) continue;  // between the taps, without antialias
    Horizontal(kernels, pixels, x, channels, emitter.order(), RingRow(row));
    for (; done < y.size && y.last[static_cast<size_t>(done)] <= row; ++done) {
      const int start = y.start[static_cast<size_t>(done)];
      const int used = y.last[static_cast<size_t>(done)] - start + 1;
      for (int t = 0; t < used; ++t) rows_[static_cast<size_t>(t)] = RingRow(start + t);
      Vertical(kernels, rows_.data(), y.WeightsOf(done), used, values, output_.data());
      emitter.Emit(done, output_.data());
    }
  }
}

template <typename Level, typename Weight>
void RowResizer<Level, Weight>::Close() {
  GiveBack(&ring_);
  GiveBack(&output_);
  for (AxisWeights<Weight>* axis : {&x, &y}) {
    GiveBack(&axis->weight);
    GiveBack(&axis->start);
    GiveBack(&axis->last);
    GiveBack(&axis->pairs);
  }
}

template <typename Level, typename Weight>
size_t RowResizer<Level, Weight>::CapacityBytes() const {
  size_t bytes = Capacity(ring_) + Capacity(rows_) + Capacity(output_);
  for (const AxisWeights<Weight>* axis : {&x, &y}) {
    bytes += Capacity(axis->weight) + Capacity(axis->start) + Capacity(axis->last) + Capacity(axis->pairs);
  }
  return bytes;
}

template <typename Level, typename Weight>
size_t RowResizer<Level, Weight>::ScratchBytes(const AxisPlan& x_plan, const AxisPlan& y_plan, int channels) {
  const auto taps = static_cast<size_t>(MaxTaps(y_plan.size, y_plan.resized));
  const size_t row =
      Stride(static_cast<size_t>(x_plan.out_size) * static_cast<size_t>(channels)) * sizeof(Level);
  size_t bytes = row * (taps + 1) + taps * sizeof(void*);
  for (const AxisPlan* axis : {&x_plan, &y_plan}) {
    const auto axis_taps = static_cast<size_t>(MaxTaps(axis->size, axis->resized));
    bytes +=
        static_cast<size_t>(axis->out_size) * ((axis_taps + 2) * 2 * sizeof(Weight) + 2 * sizeof(int32_t));
  }
  return bytes;
}

template class RowResizer<uint8_t, int32_t>;
template class RowResizer<float, float>;

}  // namespace bucketline
