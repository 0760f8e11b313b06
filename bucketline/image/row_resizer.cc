#include "bucketline/image/row_resizer.h"

#include <algorithm>
#include <type_traits>

namespace bucketline {
namespace {

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

// Of a filter with zeros the last row of one output may lie before that of the output before it.
template <typename Level, typename Weight>
int RowResizer<Level, Weight>::RingRows() const {
  int rows = y.taps;
  int last = 0;
  for (size_t i = 0; i < y.last.size(); ++i) {
    last = std::max(last, static_cast<int>(y.last[i]));
    rows = std::max(rows, last - y.start[i] + 1);
  }
  return rows;
}

template <typename Level, typename Weight>
void RowResizer<Level, Weight>::Reserve(size_t values) {
  ring_rows_ = RingRows();
  ring_stride_ = Stride(values);
  ring_.resize(ring_stride_ * static_cast<size_t>(ring_rows_));
  rows_.resize(static_cast<size_t>(y.taps));
}

// Between the taps, without antialias. (A filter's zeros hide at most three taps of the next output.)
template <typename Level, typename Weight>
bool RowResizer<Level, Weight>::Skips(int row, int done) const {
  return row < y.start[static_cast<size_t>(done)] - 3;
}

template <typename Level, typename Weight>
int RowResizer<Level, Weight>::Collect(int done) {
  const int start = y.start[static_cast<size_t>(done)];
  const int used = y.last[static_cast<size_t>(done)] - start + 1;
  for (int t = 0; t < used; ++t) rows_[static_cast<size_t>(t)] = RingRow(start + t);
  return used;
}

template <typename Level, typename Weight>
void RowResizer<Level, Weight>::Run(PixelReader& reader, const RowKernels& kernels, int channels,
                                    bool vertical_first, RowEmitter& emitter) {
  if constexpr (std::is_same_v<Level, uint8_t>) {
    if (vertical_first) return RunVerticalFirst(reader, kernels, channels, emitter);
  }
  const int values = x.size * channels;
  Reserve(static_cast<size_t>(values));
  output_.resize(ring_stride_);
  int done = 0;
  for (int row = 0; row < y.end - y.begin && done < y.size; ++row) {
    const uint8_t* pixels = reader.NextRow();
    if (Skips(row, done)) continue;
    Horizontal(kernels, pixels, x, channels, emitter.order(), RingRow(row));
    for (; done < y.size && y.last[static_cast<size_t>(done)] <= row; ++done) {
      const int used = Collect(done);
      Vertical(kernels, rows_.data(), y.WeightsOf(done), used, values, output_.data());
      emitter.Emit(done, output_.data());
    }
  }
}

template <typename Level, typename Weight>
void RowResizer<Level, Weight>::RunVerticalFirst(PixelReader& reader, const RowKernels& kernels, int channels,
                                                 RowEmitter& emitter) {
  const int values = (x.end - x.begin) * channels;
  Reserve(static_cast<size_t>(values));
  between_.resize(ring_stride_);
  output_.resize(Stride(static_cast<size_t>(x.size) * static_cast<size_t>(channels)));
  int done = 0;
  for (int row = 0; row < y.end - y.begin && done < y.size; ++row) {
    const uint8_t* pixels = reader.NextRow();
    if (Skips(row, done)) continue;
    std::copy(pixels, pixels + values, RingRow(row));
    for (; done < y.size && y.last[static_cast<size_t>(done)] <= row; ++done) {
      const int used = Collect(done);
      Vertical(kernels, rows_.data(), y.WeightsOf(done), used, values, between_.data());
      if constexpr (std::is_same_v<Level, uint8_t>) {
        Horizontal(kernels, between_.data(), x, channels, emitter.order(), output_.data());
      }
      emitter.Emit(done, output_.data());
    }
  }
}

template <typename Level, typename Weight>
void RowResizer<Level, Weight>::Close() {
  GiveBack(&ring_);
  GiveBack(&output_);
  GiveBack(&between_);
  for (AxisWeights<Weight>* axis : {&x, &y}) {
    GiveBack(&axis->weight);
    GiveBack(&axis->start);
    GiveBack(&axis->last);
    GiveBack(&axis->pairs);
  }
}

template <typename Level, typename Weight>
size_t RowResizer<Level, Weight>::ScratchBytes(const AxisPlan& x_plan, const AxisPlan& y_plan, Resize filter,
                                               int channels) {
  const auto taps = static_cast<size_t>(MaxTaps(y_plan, filter));
  const size_t row =
      Stride(static_cast<size_t>(x_plan.out_size) * static_cast<size_t>(channels)) * sizeof(Level);
  // The widest part that Pillow takes vertically first.
  const int64_t widest = x_plan.resized + std::max<int64_t>(y_plan.size - y_plan.resized, 0) / 2 + 1;
  const auto source = static_cast<size_t>(std::min<int64_t>(x_plan.size, widest));
  const size_t source_row = Stride(source * static_cast<size_t>(channels)) * sizeof(Level);
  size_t bytes = std::max(row * (taps + 1), source_row * (taps + 1) + row) + taps * sizeof(void*);
  for (const AxisPlan* axis : {&x_plan, &y_plan}) {
    const auto axis_taps = static_cast<size_t>(MaxTaps(*axis, filter));
    bytes +=
        static_cast<size_t>(axis->out_size) * ((axis_taps + 2) * 2 * sizeof(Weight) + 2 * sizeof(int32_t));
  }
  return bytes;
}

template class RowResizer<uint8_t, int32_t>;
template class RowResizer<float, float>;

}  // namespace bucketline
