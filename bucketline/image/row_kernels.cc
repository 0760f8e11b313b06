#include "bucketline/image/row_kernels.h"

#include <algorithm>
#include <cstring>

#include "bucketline/image/row_kernels_avx2.h"

// The templates below are written once with the compiler's portable vectors and instantiated for each CPU
// level at the end of the file: a function with a target attribute inlines them and so compiles them for its
// target.
#define BUCKETLINE_INLINE [[gnu::always_inline]] inline

namespace bucketline {
namespace {

using Bytes16 = uint8_t __attribute__((vector_size(16)));
using Shorts8 = int16_t __attribute__((vector_size(16)));
using Ints4 = int32_t __attribute__((vector_size(16)));
using Longs2 = uint64_t __attribute__((vector_size(16)));
using Floats4 = float __attribute__((vector_size(16)));

// Lanes of two vectors by their numbers; the compilers that this is written for spell it differently.
#if __has_builtin(__builtin_shufflevector)
#define BUCKETLINE_SHUFFLE(Type, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define BUCKETLINE_SHUFFLE(Type, a, b, ...) __builtin_shuffle(a, b, Type{__VA_ARGS__})
#endif

// Four bytes as integers. In two steps, because compilers turn each into one instruction, and not the
// conversion of a vector of four bytes.
BUCKETLINE_INLINE Ints4 LoadBytes4(const uint8_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof(word));
  const auto bytes = reinterpret_cast<Bytes16>(Ints4{word, 0, 0, 0});
  const auto shorts = reinterpret_cast<Shorts8>(
      BUCKETLINE_SHUFFLE(Bytes16, bytes, Bytes16{}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  return reinterpret_cast<Ints4>(BUCKETLINE_SHUFFLE(Shorts8, shorts, Shorts8{}, 0, 8, 1, 9, 2, 10, 3, 11));
}

template <typename Level>
struct Arithmetic;

template <>
struct Arithmetic<uint8_t> {
  using Weight = int32_t;
  using Sum = int32_t;
  using Vector = Ints4;
  static constexpr int32_t kZero = 1 << (kWeightBits - 1);  // for rounding
  BUCKETLINE_INLINE static Vector Zero() { return Vector{kZero, kZero, kZero, kZero}; }
  BUCKETLINE_INLINE static Vector Load(const uint8_t* from) { return LoadBytes4(from); }
  // Weights may be negative, and the rounding of many tiny ones may add up to more than 1.
  BUCKETLINE_INLINE static Vector Finish(Vector sum) {
    sum >>= kWeightBits;
    sum = sum > 255 ? Vector{255, 255, 255, 255} : sum;
    return sum < 0 ? Vector{} : sum;
  }
  BUCKETLINE_INLINE static uint8_t Finish(Sum sum) {
    return static_cast<uint8_t>(std::max(std::min(sum >> kWeightBits, 255), 0));
  }
};

template <>
struct Arithmetic<float> {
  using Weight = float;
  using Sum = float;
  using Vector = Floats4;
  static constexpr float kZero = 0;
  BUCKETLINE_INLINE static Vector Zero() { return Vector{0, 0, 0, 0}; }
  BUCKETLINE_INLINE static Vector Load(const uint8_t* from) {
    return __builtin_convertvector(LoadBytes4(from), Vector);
  }
  BUCKETLINE_INLINE static Vector Finish(Vector sum) { return sum; }
  BUCKETLINE_INLINE static float Finish(Sum sum) { return sum; }
};

// One output pixel of three channels; the fourth lane is of no use.
template <typename Level, int kTaps, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE auto Pixel(const uint8_t* row, const typename A::Weight* weights, int taps) {
  typename A::Vector sum = A::Zero();
  const int count = kTaps > 0 ? kTaps : taps;
  for (int t = 0; t < count; ++t) sum += A::Load(row + 3 * t) * weights[t];
  return A::Finish(sum);
}

// Every lane holds one byte: shifts bring them together.
BUCKETLINE_INLINE void StorePixel(Ints4 pixel, uint8_t* out) {
  auto halves = reinterpret_cast<Longs2>(pixel);
  halves |= halves >> 24;
  const auto word = static_cast<uint32_t>((halves[0] & 0xffff) | (halves[1] & 0xffff) << 16);
  std::memcpy(out, &word, sizeof(word));
}
BUCKETLINE_INLINE void StorePixel(Floats4 pixel, float* out) { std::memcpy(out, &pixel, sizeof(pixel)); }

BUCKETLINE_INLINE void StorePlanar4(const Ints4 (&pixels)[4], int width, uint8_t* out) {
  // Lane c becomes the four bytes of channel c: every lane holds one byte.
  const Ints4 lanes = pixels[0] | pixels[1] << 8 | pixels[2] << 16 | pixels[3] << 24;
  for (int c = 0; c < 3; ++c) {
    const int32_t bytes = lanes[c];
    std::memcpy(out + static_cast<size_t>(c) * static_cast<size_t>(width), &bytes, sizeof(bytes));
  }
}
BUCKETLINE_INLINE void StorePlanar4(const Floats4 (&pixels)[4], int width, float* out) {
  for (int c = 0; c < 3; ++c) {
    const Floats4 values = {pixels[0][c], pixels[1][c], pixels[2][c], pixels[3][c]};
    std::memcpy(out + static_cast<size_t>(c) * static_cast<size_t>(width), &values, sizeof(values));
  }
}

template <typename Level, int kTaps, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE void HorizontalRgb(const uint8_t* row, const AxisWeights<typename A::Weight>& axis,
                                     RowOrder order, Level* out) {
  const int width = axis.size;
  const int taps = kTaps > 0 ? kTaps : axis.taps;
  const int32_t* start = axis.start.data();
  const typename A::Weight* weights = axis.weight.data();
  const auto pixel = [&](int x) __attribute__((always_inline)) {
    return Pixel<Level, kTaps>(row + 3 * start[x], weights + static_cast<ptrdiff_t>(x) * taps, taps);
  };
  if (order == RowOrder::kInterleaved) {
    for (int x = 0; x < width; ++x) StorePixel(pixel(x), out + 3 * x);
    return;
  }
  int x = 0;
  for (; x + 4 <= width; x += 4) {
    const typename A::Vector pixels[4] = {pixel(x), pixel(x + 1), pixel(x + 2), pixel(x + 3)};
    StorePlanar4(pixels, width, out + x);
  }
  for (; x < width; ++x) {
    const typename A::Vector one = pixel(x);
    for (int c = 0; c < 3; ++c) out[c * width + x] = static_cast<Level>(one[c]);
  }
}

template <typename Level, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE void HorizontalGrey(const uint8_t* row, const AxisWeights<typename A::Weight>& axis,
                                      Level* out) {
  for (int x = 0; x < axis.size; ++x) {
    const typename A::Weight* weights = axis.WeightsOf(x);
    const uint8_t* from = row + axis.start[static_cast<size_t>(x)];
    typename A::Sum sum = A::kZero;
    for (int t = 0; t < axis.taps; ++t) sum += from[t] * weights[t];
    out[x] = A::Finish(sum);
  }
}

template <typename Level, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE void Horizontal(const uint8_t* row, const AxisWeights<typename A::Weight>& axis,
                                  int channels, RowOrder order, Level* out) {
  if (channels == 1) return HorizontalGrey<Level>(row, axis, out);
  switch (axis.taps) {
    case 1:
      return HorizontalRgb<Level, 1>(row, axis, order, out);
    case 2:
      return HorizontalRgb<Level, 2>(row, axis, order, out);
    case 3:
      return HorizontalRgb<Level, 3>(row, axis, order, out);
    case 4:
      return HorizontalRgb<Level, 4>(row, axis, order, out);
    case 5:
      return HorizontalRgb<Level, 5>(row, axis, order, out);
    case 6:
      return HorizontalRgb<Level, 6>(row, axis, order, out);
    default:
      return HorizontalRgb<Level, 0>(row, axis, order, out);
  }
}

template <typename Level, int kTaps, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE void VerticalTaps(const Level* const* rows, const typename A::Weight* weights, int count,
                                    Level* __restrict out) {
  for (int i = 0; i < count; ++i) {
    typename A::Sum sum = A::kZero;
    for (int t = 0; t < kTaps; ++t) sum += rows[t][i] * weights[t];
    out[i] = A::Finish(sum);
  }
}

// More taps than the cases above: sums of a strip stay in registers or L1.
template <typename Level, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE void VerticalStrips(const Level* const* rows, const typename A::Weight* weights, int taps,
                                      int count, Level* __restrict out) {
  constexpr int kStrip = 64;
  for (int begin = 0; begin < count; begin += kStrip) {
    const int size = std::min(kStrip, count - begin);
    typename A::Sum sums[kStrip];
    for (int i = 0; i < size; ++i) sums[i] = A::kZero;
    for (int t = 0; t < taps; ++t) {
      const Level* row = rows[t] + begin;
      for (int i = 0; i < size; ++i) sums[i] += row[i] * weights[t];
    }
    for (int i = 0; i < size; ++i) out[begin + i] = A::Finish(sums[i]);
  }
}

template <typename Level, typename A = Arithmetic<Level>>
BUCKETLINE_INLINE void Vertical(const Level* const* rows, const typename A::Weight* weights, int taps,
                                int count, Level* out) {
  switch (taps) {
    case 1:
      return VerticalTaps<Level, 1>(rows, weights, count, out);
    case 2:
      return VerticalTaps<Level, 2>(rows, weights, count, out);
    case 3:
      return VerticalTaps<Level, 3>(rows, weights, count, out);
    case 4:
      return VerticalTaps<Level, 4>(rows, weights, count, out);
    case 5:
      return VerticalTaps<Level, 5>(rows, weights, count, out);
    case 6:
      return VerticalTaps<Level, 6>(rows, weights, count, out);
    default:
      return VerticalStrips<Level>(rows, weights, taps, count, out);
  }
}

template <typename Level>
BUCKETLINE_INLINE void Normalise(const Level* in, int count, float scale, const float* mean, const float* std,
                                 float* __restrict out) {
  for (int i = 0; i < count; ++i) out[i] = (static_cast<float>(in[i]) * scale - mean[i]) / std[i];
}

BUCKETLINE_INLINE void Round(const float* in, int count, uint8_t* __restrict out) {
  for (int i = 0; i < count; ++i) {
    out[i] = static_cast<uint8_t>(static_cast<int>(std::min(std::max(in[i] + 0.5f, 0.0f), 255.0f)));
  }
}

// Without branches, so that it becomes vectors. Below 2^-14 the addition of 0.5 does the rounding: half of it
// is the distance of binary16's smallest numbers.
BUCKETLINE_INLINE void Half(const float* in, int count, uint16_t* __restrict out) {
  for (int i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, &in[i], sizeof(bits));
    const uint32_t sign = (bits >> 16) & 0x8000;
    bits &= 0x7fffffff;
    float small;
    std::memcpy(&small, &bits, sizeof(small));
    small += 0.5f;
    uint32_t tiny;
    std::memcpy(&tiny, &small, sizeof(tiny));
    tiny -= 0x3f000000;
    const uint32_t normal = (bits + 0xc8000fff + ((bits >> 13) & 1)) >> 13;
    const uint32_t large = bits > 0x7f800000 ? 0x7e00 : 0x7c00;
    const uint32_t half = bits < 0x38800000 ? tiny : bits >= 0x477ff000 ? large : normal;
    out[i] = static_cast<uint16_t>(half | sign);
  }
}

// The whole table for one CPU level.
// NOLINTBEGIN(bugprone-macro-parentheses): a name and an attribute
#define BUCKETLINE_KERNELS(Name, TARGET)                                                                   \
  struct Name {                                                                                            \
    TARGET static void HorizontalU8(const uint8_t* row, const PillowWeights& weights, int channels,        \
                                    RowOrder order, uint8_t* out) {                                        \
      Horizontal<uint8_t>(row, weights, channels, order, out);                                             \
    }                                                                                                      \
    TARGET static void HorizontalF32(const uint8_t* row, const TensorflowWeights& weights, int channels,   \
                                     RowOrder order, float* out) {                                         \
      Horizontal<float>(row, weights, channels, order, out);                                               \
    }                                                                                                      \
    TARGET static void VerticalU8(const uint8_t* const* rows, const int32_t* weights, int taps, int count, \
                                  uint8_t* out) {                                                          \
      Vertical<uint8_t>(rows, weights, taps, count, out);                                                  \
    }                                                                                                      \
    TARGET static void VerticalF32(const float* const* rows, const float* weights, int taps, int count,    \
                                   float* out) {                                                           \
      Vertical<float>(rows, weights, taps, count, out);                                                    \
    }                                                                                                      \
    TARGET static void NormaliseU8(const uint8_t* in, int count, float scale, const float* mean,           \
                                   const float* std, float* out) {                                         \
      Normalise(in, count, scale, mean, std, out);                                                         \
    }                                                                                                      \
    TARGET static void NormaliseF32(const float* in, int count, float scale, const float* mean,            \
                                    const float* std, float* out) {                                        \
      Normalise(in, count, scale, mean, std, out);                                                         \
    }                                                                                                      \
    static void EndStream() {}                                                                             \
    TARGET static void RoundF32(const float* in, int count, uint8_t* out) { Round(in, count, out); }       \
    TARGET static void ToHalf(const float* in, int count, uint16_t* out) { Half(in, count, out); }         \
    [[maybe_unused]] static constexpr RowKernels kTable = {                                                \
        HorizontalU8, HorizontalF32, VerticalU8, VerticalF32, NormaliseU8, NormaliseF32,                   \
        NormaliseU8,  NormaliseF32,  EndStream,  RoundF32,    ToHalf};                                     \
  }
// NOLINTEND(bugprone-macro-parentheses)

BUCKETLINE_KERNELS(Baseline, );
#if defined(__x86_64__)
BUCKETLINE_KERNELS(Avx2, [[gnu::target("avx2")]]);

void HorizontalU8Avx2(const uint8_t* row, const PillowWeights& weights, int channels, RowOrder order,
                      uint8_t* out) {
  if (channels == 3 && !weights.pairs.empty()) {
    HorizontalPairsAvx2(row, weights, order, out);
  } else {
    Avx2::HorizontalU8(row, weights, channels, order, out);
  }
}

constexpr RowKernels kAvx2Table = {HorizontalU8Avx2,  Avx2::HorizontalF32, Avx2::VerticalU8,
                                   Avx2::VerticalF32, Avx2::NormaliseU8,   Avx2::NormaliseF32,
                                   StreamU8Avx2,      StreamF32Avx2,       EndStreamAvx2,
                                   Avx2::RoundF32,    Avx2::ToHalf};
#endif

}  // namespace

const RowKernels& BaselineKernels() { return Baseline::kTable; }

const RowKernels& FastestKernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return kAvx2Table;
#endif
  return Baseline::kTable;
}

}  // namespace bucketline
