#include "bucketline/image/resize_weights.h"

#include <algorithm>

namespace bucketline {
namespace {

int32_t Quantise(double weight, int32_t /*as*/) {
  constexpr double kOne = 1 << kWeightBits;
  return static_cast<int32_t>(weight < 0 ? weight * kOne - 0.5 : weight * kOne + 0.5);
}
float Quantise(double weight, float /*as*/) { return static_cast<float>(weight); }

template <typename T>
constexpr T kWhole = T{1};
template <>
constexpr int32_t kWhole<int32_t> = 1 << kWeightBits;

// The source may run against the axis.
void Mirror(int size, Span* span, double* weights) {
  span->start = size - span->start - span->count;
  std::reverse(weights, weights + span->count);
}

template <typename T>
void Build(SpanFunction span_of, const AxisPlan& axis, ResizeMethod method, bool reverse,
           std::vector<double>* scratch, AxisWeights<T>* out) {
  const auto size = static_cast<size_t>(axis.out_size);
  const auto most = static_cast<size_t>(MaxTaps(axis, method.filter));
  scratch->resize(most);
  out->size = axis.out_size;
  out->start.resize(size);
  out->last.resize(size);
  out->weight.resize(size * most);

  // First at the widest stride, without the zeros at the ends.
  int taps = 1;
  int begin = axis.size;
  int end = 0;
  for (size_t i = 0; i < size; ++i) {
    const auto output = axis.out_begin + static_cast<int64_t>(reverse ? size - 1 - i : i);
    Span span = span_of(axis, method, output, scratch->data());
    if (axis.mirrored) Mirror(axis.size, &span, scratch->data());
    T* weights = out->weight.data() + i * most;
    for (int k = 0; k < span.count; ++k) weights[k] = Quantise((*scratch)[static_cast<size_t>(k)], T{});
    int skip = 0;
    while (skip < span.count - 1 && weights[skip] == 0) ++skip;
    while (span.count - skip > 1 && weights[span.count - 1] == 0) --span.count;
    std::copy(weights + skip, weights + span.count, weights);
    out->start[i] = span.start + skip;
    out->last[i] = span.start + span.count - 1;
    taps = std::max(taps, span.count - skip);
    begin = std::min(begin, out->start[i]);
    end = std::max(end, out->last[i] + 1);
  }

  // Then at the common one: kernels want as many taps for every output, none of them outside [begin, end).
  for (size_t i = 0; i < size; ++i) {
    const T* from = out->weight.data() + i * most;
    T* to = out->weight.data() + i * static_cast<size_t>(taps);  // never behind `from`
    const int count = out->last[i] - out->start[i] + 1;
    const int start = std::min(out->start[i], end - taps);
    const int lead = out->start[i] - start;
    std::copy(from, from + count, scratch->begin());
    std::fill(to, to + taps, T{});
    for (int k = 0; k < count; ++k) to[lead + k] = static_cast<T>((*scratch)[static_cast<size_t>(k)]);
    out->start[i] = start - begin;
    out->last[i] -= begin;
  }
  out->taps = taps;
  out->pairs.clear();
  out->begin = axis.begin + begin;
  out->end = axis.begin + end;
}

template <typename T>
void BuildNearest(const AxisPlan& axis, ResizeFamily family, bool reverse, AxisWeights<T>* out) {
  const auto size = static_cast<size_t>(axis.out_size);
  out->size = axis.out_size;
  out->taps = 1;
  out->pairs.clear();
  out->weight.assign(size, kWhole<T>);
  out->start.resize(size);
  NearestPixels nearest(axis, family);
  for (size_t i = 0; i < size; ++i) {
    const int pixel = nearest.At(axis.out_begin + static_cast<int64_t>(i));
    out->start[reverse ? size - 1 - i : i] = axis.mirrored ? axis.size - 1 - pixel : pixel;
  }
  const auto [least, most] = std::minmax_element(out->start.begin(), out->start.end());
  const int begin = *least;
  out->begin = axis.begin + begin;
  out->end = axis.begin + *most + 1;
  for (int32_t& start : out->start) start -= begin;
  out->last = out->start;
}

}  // namespace

void PackWeightPairs(PillowWeights* weights) {
  constexpr int32_t kLowMask = (1 << kPairBits) - 1;
  const int per_output = (weights->taps + 1) / 2;
  weights->pairs.resize(2 * static_cast<size_t>(per_output) * static_cast<size_t>(weights->size));
  int32_t* to = weights->pairs.data();
  for (int i = 0; i < weights->size; ++i) {
    const int32_t* from = weights->WeightsOf(i);
    for (int t = 0; t < weights->taps; t += 2) {
      const int32_t first = from[t];
      const int32_t second = t + 1 < weights->taps ? from[t + 1] : 0;
      *to++ = (first & kLowMask) | (second & kLowMask) << 16;
      *to++ = ((first >> kPairBits) & 0xffff) | (second >> kPairBits) << 16;
    }
  }
}

void BuildPillowWeights(const AxisPlan& axis, ResizeMethod method, bool reverse, std::vector<double>* scratch,
                        PillowWeights* out) {
  if (method.filter == Resize::kNearest) return BuildNearest(axis, ResizeFamily::kPillow, reverse, out);
  Build(PillowSpan, axis, method, reverse, scratch, out);
}

void BuildTensorflowWeights(const AxisPlan& axis, ResizeMethod method, bool reverse,
                            std::vector<double>* scratch, TensorflowWeights* out) {
  if (method.filter == Resize::kNearest) return BuildNearest(axis, ResizeFamily::kTensorflow, reverse, out);
  Build(TensorflowSpan, axis, method, reverse, scratch, out);
}

}  // namespace bucketline
