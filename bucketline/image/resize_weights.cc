#include "bucketline/image/resize_weights.h"

#include <algorithm>
#include <cmath>

namespace bucketline {
namespace {

// Source pixels [start, start + count), relative to the axis's begin.
struct Span {
  int start;
  int count;
};

double Triangle(double x) { return std::max(0.0, 1.0 - std::fabs(x)); }

// Pillow, Resample.c precompute_coeffs.
Span PillowSpan(const AxisPlan& axis, int64_t output, double* weights) {
  const double scale = static_cast<double>(axis.size) / static_cast<double>(axis.resized);
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter_scale;
  const double inverse = 1.0 / filter_scale;
  const double center = (static_cast<double>(output) + 0.5) * scale;
  const int first = std::max(static_cast<int>(center - support + 0.5), 0);
  const int last = std::min(static_cast<int>(center + support + 0.5), axis.size);
  double total = 0;
  for (int i = first; i < last; ++i) {
    const double weight = Triangle((i - center + 0.5) * inverse);
    weights[i - first] = weight;
    total += weight;
  }
  for (int i = 0; i < last - first; ++i) {
    if (total != 0) weights[i] /= total;
  }
  return {first, last - first};
}

// The two pixels around `position`, which counts from the centre of the first one.
Span TwoTaps(int size, double position, double* weights) {
  const double below = std::floor(position);
  const double rest = position - below;
  const int lower = static_cast<int>(below);
  if (lower < 0 || lower >= size - 1) {
    weights[0] = 1;
    return {lower < 0 ? 0 : size - 1, 1};
  }
  weights[0] = 1 - rest;
  weights[1] = rest;
  return {lower, 2};
}

Span HalfPixelSpan(const AxisPlan& axis, int64_t output, double* weights) {
  const double scale = static_cast<double>(axis.size) / static_cast<double>(axis.resized);
  return TwoTaps(axis.size, (static_cast<double>(output) + 0.5) * scale - 0.5, weights);
}

// TensorFlow, image_resizer_state.h HalfPixelScaler: positions in float32.
Span TensorflowPlainSpan(const AxisPlan& axis, int64_t output, double* weights) {
  const float scale = static_cast<float>(axis.size) / static_cast<float>(axis.resized);
  return TwoTaps(axis.size, (static_cast<float>(output) + 0.5f) * scale - 0.5f, weights);
}

// TensorFlow, scale_and_translate_op.cc ComputeSpansCore: in float32 too.
Span TensorflowSpan(const AxisPlan& axis, int64_t output, double* weights) {
  const float scale = static_cast<float>(axis.resized) / static_cast<float>(axis.size);
  const float inverse = 1.0f / scale;
  const float kernel_scale = std::max(inverse, 1.0f);
  const float center = (static_cast<float>(output) + 0.5f) * inverse;
  const auto clamp = [&axis](float x) { return static_cast<int>(std::clamp(x, 0.0f, axis.size - 1.0f)); };
  const int first = clamp(std::ceil(center - kernel_scale - 0.5f));
  const int last = clamp(std::floor(center + kernel_scale - 0.5f));
  float total = 0;
  for (int i = first; i <= last; ++i) {
    const float distance = (static_cast<float>(i) + 0.5f - center) * (1.0f / kernel_scale);
    const float weight = std::max(0.0f, 1.0f - std::fabs(distance));
    weights[i - first] = weight;
    total += weight;
  }
  for (int i = 0; i <= last - first; ++i) weights[i] = static_cast<float>(weights[i]) / total;
  return {first, last - first + 1};
}

int32_t Quantise(double weight, int32_t /*as*/) {
  constexpr double kOne = 1 << kWeightBits;
  return static_cast<int32_t>(weight < 0 ? weight * kOne - 0.5 : weight * kOne + 0.5);
}
float Quantise(double weight, float /*as*/) { return static_cast<float>(weight); }

template <typename T>
void Build(Span (*span_of)(const AxisPlan&, int64_t, double*), const AxisPlan& axis, bool reverse,
           std::vector<double>* scratch, AxisWeights<T>* out) {
  const auto size = static_cast<size_t>(axis.out_size);
  const auto most = static_cast<size_t>(MaxTaps(axis.size, axis.resized));
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
    Span span = span_of(axis, output, scratch->data());
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
      *to++ = first >> kPairBits | (second >> kPairBits) << 16;
    }
  }
}

int MaxTaps(int source, int64_t resized) {
  const double support = std::max(static_cast<double>(source) / static_cast<double>(resized), 1.0);
  return static_cast<int>(std::min<double>(std::ceil(support) * 2 + 2, std::max(source, 2)));
}

void BuildPillowWeights(const AxisPlan& axis, bool antialias, bool reverse, std::vector<double>* scratch,
                        PillowWeights* out) {
  Build(antialias ? PillowSpan : HalfPixelSpan, axis, reverse, scratch, out);
}

void BuildTensorflowWeights(const AxisPlan& axis, bool antialias, bool reverse, std::vector<double>* scratch,
                            TensorflowWeights* out) {
  Build(antialias ? TensorflowSpan : TensorflowPlainSpan, axis, reverse, scratch, out);
}

}  // namespace bucketline
