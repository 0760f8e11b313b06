#include "bucketline/image/resize_filters.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "bucketline/image/stable_math.h"

namespace bucketline {
namespace {

constexpr double kPi = 3.14159265358979323846;

double Radius(Resize filter) {
  switch (filter) {
    case Resize::kNearest:
    case Resize::kArea:
      return 0.5;
    case Resize::kBilinear:
      return 1;
    case Resize::kBicubic:
      return 2;
    case Resize::kLanczos:
      return 3;
  }
  return 1;
}

double Scale(const AxisPlan& axis) { return axis.Extent() / static_cast<double>(axis.resized); }

// --- Pillow, Resample.c

// Keys's cubic for |x| < 1 and for 1 <= |x| < 2.
double CubicNear(double a, double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
double CubicFar(double a, double x) { return (((x - 5) * x + 8) * x - 4) * a; }

double Sinc(double x) { return x == 0 ? 1 : StableSinPi(x) / (kPi * x); }

double PillowKernel(Resize filter, double x) {
  const double distance = std::fabs(x);
  switch (filter) {
    case Resize::kArea:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Resize::kBicubic:
      return distance < 1 ? CubicNear(-0.5, distance) : distance < 2 ? CubicFar(-0.5, distance) : 0;
    case Resize::kLanczos:
      return x >= -3 && x < 3 ? Sinc(x) * Sinc(x / 3) : 0;
    default:
      return std::max(0.0, 1 - distance);
  }
}

// precompute_coeffs
Span PillowConvolution(const AxisPlan& axis, Resize filter, int64_t output, double* weights) {
  const double scale = Scale(axis);
  const double filter_scale = std::max(scale, 1.0);
  const double support = Radius(filter) * filter_scale;
  const double inverse = 1.0 / filter_scale;
  const double center = axis.inset + (static_cast<double>(output) + 0.5) * scale;
  const int first = std::max(static_cast<int>(std::trunc(center - support + 0.5)), 0);
  const int last = std::min(static_cast<int>(std::trunc(center + support + 0.5)), axis.size);
  double total = 0;
  for (int i = first; i < last; ++i) {
    const double weight = PillowKernel(filter, (i - center + 0.5) * inverse);
    weights[i - first] = weight;
    total += weight;
  }
  for (int i = 0; i < last - first; ++i) {
    if (total != 0) weights[i] /= total;
  }
  return {first, last - first};
}

// --- without antialias

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

// torch's upsample_bicubic2d: a = -0.75, pixels beyond the edge are the edge's.
Span TorchCubic(int size, double position, double* weights) {
  constexpr double kA = -0.75;
  const double below = std::floor(position);
  const double rest = position - below;
  const std::array<double, 4> taps = {CubicFar(kA, rest + 1), CubicNear(kA, rest), CubicNear(kA, 1 - rest),
                                      CubicFar(kA, 2 - rest)};
  const int lower = static_cast<int>(below);
  const int first = std::clamp(lower - 1, 0, size - 1);
  const int last = std::clamp(lower + 2, 0, size - 1);
  std::fill(weights, weights + (last - first + 1), 0.0);
  for (int k = 0; k < 4; ++k) {
    weights[std::clamp(lower - 1 + k, 0, size - 1) - first] += taps[static_cast<size_t>(k)];
  }
  return {first, last - first + 1};
}

// --- TensorFlow, in float32 as there

// image_resizer_state.h, HalfPixelScaler
float HalfPixel(const AxisPlan& axis, int64_t output) {
  const auto scale = static_cast<float>(Scale(axis));
  return static_cast<float>(axis.inset) + (static_cast<float>(output) + 0.5f) * scale - 0.5f;
}

// resize_bicubic_op.cc: a = -0.5 by a table of 1,024 steps, pixels beyond the edge have no weight.
Span TensorflowCubic(const AxisPlan& axis, int64_t output, double* weights) {
  constexpr int kTable = 1024;
  constexpr float kA = -0.5f;
  const auto near = [](int step) {
    const float x = static_cast<float>(step) * 1.0f / kTable;
    return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  };
  const auto far = [](int step) {
    const float x = static_cast<float>(step) * 1.0f / kTable + 1.0f;
    return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA;
  };
  const float position = HalfPixel(axis, output);
  const float below = std::floor(position);
  const auto step = static_cast<int>(std::lrint((position - below) * kTable));
  const std::array<float, 4> taps = {far(step), near(step), near(kTable - step), far(kTable - step)};
  const int lower = static_cast<int>(below);
  const int first = std::clamp(lower - 1, 0, axis.size - 1);
  const int last = std::clamp(lower + 2, first, axis.size - 1);
  float total = 0;
  const auto tap = [&](int i) { return taps.begin()[i - (lower - 1)]; };
  for (int i = first; i <= last; ++i) total += tap(i);
  for (int i = first; i <= last; ++i) weights[i - first] = tap(i) * (1.0f / total);
  return {first, last - first + 1};
}

// resize_area_op.cc: each source pixel by how much of it the output covers.
Span TensorflowArea(const AxisPlan& axis, int64_t output, double* weights) {
  const auto scale = static_cast<float>(Scale(axis));
  const float from = static_cast<float>(axis.inset) + static_cast<float>(output) * scale;
  const float to = static_cast<float>(axis.inset) + static_cast<float>(output + 1) * scale;
  const int first = std::clamp(static_cast<int>(std::floor(from)), 0, axis.size - 1);
  const int last = std::clamp(static_cast<int>(std::ceil(to)), first + 1, axis.size);
  for (int i = first; i < last; ++i) {
    const auto left = static_cast<float>(i);
    const float right = left + 1;
    const float covered = left < from ? (right > to ? scale : right - from) : (right > to ? to - left : 1.0f);
    weights[i - first] = covered / scale;
  }
  return {first, last - first};
}

// sampling_kernels.h
float TensorflowKernel(Resize filter, float x) {
  switch (filter) {
    case Resize::kBicubic:
      if (x >= 2) return 0;
      return x >= 1 ? ((-0.5f * x + 2.5f) * x - 4.0f) * x + 2.0f : ((1.5f * x - 2.5f) * x) * x + 1.0f;
    case Resize::kLanczos:
      if (x > 3) return 0;
      return x <= 1e-3f ? 1 : static_cast<float>(Sinc(x) * Sinc(x / 3.0));
    default:
      return std::max(0.0f, 1.0f - x);
  }
}

// scale_and_translate_op.cc, ComputeSpansCore
Span ScaleAndTranslate(const AxisPlan& axis, ResizeMethod method, int64_t output, double* weights) {
  const float scale = static_cast<float>(axis.resized) / static_cast<float>(axis.Extent());
  const float inverse = 1.0f / scale;
  const float kernel_scale = method.antialias ? std::max(inverse, 1.0f) : 1.0f;
  const float reach = static_cast<float>(Radius(method.filter)) * kernel_scale;
  const float center = static_cast<float>(axis.inset) + (static_cast<float>(output) + 0.5f) * inverse;
  const auto clamp = [&axis](float x) { return static_cast<int>(std::clamp(x, 0.0f, axis.size - 1.0f)); };
  const int first = clamp(std::ceil(center - reach - 0.5f));
  const int last = clamp(std::floor(center + reach - 0.5f));
  float total = 0;
  for (int i = first; i <= last; ++i) {
    const float distance = (static_cast<float>(i) + 0.5f - center) * (1.0f / kernel_scale);
    const float weight = TensorflowKernel(method.filter, std::fabs(distance));
    weights[i - first] = weight;
    total += weight;
  }
  for (int i = 0; i <= last - first; ++i) weights[i] = static_cast<float>(weights[i]) / total;
  return {first, last - first + 1};
}

}  // namespace

Span PillowSpan(const AxisPlan& axis, ResizeMethod method, int64_t output, double* weights) {
  if (method.antialias || method.filter == Resize::kArea) {
    return PillowConvolution(axis, method.filter, output, weights);
  }
  const double position = axis.inset + (static_cast<double>(output) + 0.5) * Scale(axis) - 0.5;
  return method.filter == Resize::kBicubic ? TorchCubic(axis.size, position, weights)
                                           : TwoTaps(axis.size, position, weights);
}

Span TensorflowSpan(const AxisPlan& axis, ResizeMethod method, int64_t output, double* weights) {
  if (method.filter == Resize::kArea) return TensorflowArea(axis, output, weights);
  if (method.antialias || method.filter == Resize::kLanczos) {
    return ScaleAndTranslate(axis, method, output, weights);
  }
  if (method.filter == Resize::kBicubic) return TensorflowCubic(axis, output, weights);
  return TwoTaps(axis.size, HalfPixel(axis, output), weights);
}

NearestPixels::NearestPixels(const AxisPlan& axis, ResizeFamily family)
    : axis_(axis), family_(family), step_(Scale(axis)), position_(axis.inset + step_ * 0.5) {}

int NearestPixels::At(int64_t output) {
  double position = 0;
  if (family_ == ResizeFamily::kTensorflow) {
    position = std::floor((static_cast<float>(output) + 0.5f) * static_cast<float>(step_) +
                          static_cast<float>(axis_.inset));
  } else {
    for (; next_ < output; ++next_) position_ += step_;
    position = position_;
  }
  return std::clamp(static_cast<int>(position), 0, axis_.size - 1);
}

int MaxTaps(const AxisPlan& axis, Resize filter) {
  if (filter == Resize::kNearest) return 1;
  const double support = Radius(filter) * std::max(Scale(axis), 1.0);
  return static_cast<int>(std::min<double>(std::ceil(support) * 2 + 2, std::max(axis.size, 4)));
}

}  // namespace bucketline
