#include "bucketline/image/row_kernels_avx2.h"

#if defined(__x86_64__)

#include <cstring>

#include <immintrin.h>

#define BUCKETLINE_AVX2 [[gnu::target("avx2"), gnu::always_inline]] inline

namespace bucketline {
namespace {

// One output pixel, a lane for each channel. A 23-bit weight does not fit a 16-bit multiplication, its two
// halves do: sum p * w = (sum p * high << kPairBits) + sum p * low, in integers, hence exactly.
template <int kPairs>
BUCKETLINE_AVX2 __m128i Pixel(const uint8_t* row, const int32_t* pairs, int count) {
  // Channel c of two neighbouring pixels side by side as 16-bit numbers.
  const __m128i side_by_side = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  __m128i low = _mm_set1_epi32(1 << (kWeightBits - 1));
  __m128i high = _mm_setzero_si128();
  for (int p = 0; p < (kPairs > 0 ? kPairs : count); ++p) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + 6 * p));
    const __m128i taps = _mm_shuffle_epi8(bytes, side_by_side);
    low = _mm_add_epi32(low, _mm_madd_epi16(taps, _mm_set1_epi32(pairs[2 * p])));
    high = _mm_add_epi32(high, _mm_madd_epi16(taps, _mm_set1_epi32(pairs[2 * p + 1])));
  }
  const __m128i sum = _mm_add_epi32(low, _mm_slli_epi32(high, kPairBits));
  return _mm_max_epi32(_mm_min_epi32(_mm_srai_epi32(sum, kWeightBits), _mm_set1_epi32(255)),
                       _mm_setzero_si128());
}

template <int kPairs>
BUCKETLINE_AVX2 void Row(const uint8_t* row, const PillowWeights& weights, RowOrder order, uint8_t* out) {
  const int width = weights.size;
  const int count = kPairs > 0 ? kPairs : (weights.taps + 1) / 2;
  const int32_t* start = weights.start.data();
  const int32_t* pairs = weights.pairs.data();
  const auto stride = static_cast<ptrdiff_t>(2) * count;
  int x = 0;
  for (; x + 4 <= width; x += 4, pairs += 4 * stride) {
    const __m128i a = Pixel<kPairs>(row + 3 * start[x], pairs, count);
    const __m128i b = Pixel<kPairs>(row + 3 * start[x + 1], pairs + stride, count);
    const __m128i c = Pixel<kPairs>(row + 3 * start[x + 2], pairs + 2 * stride, count);
    const __m128i d = Pixel<kPairs>(row + 3 * start[x + 3], pairs + 3 * stride, count);
    const __m128i bytes =
        _mm_packus_epi16(_mm_packus_epi32(a, b), _mm_packus_epi32(c, d));  // rgb0 rgb0 rgb0 rgb0
    if (order == RowOrder::kInterleaved) {
      const __m128i packed =
          _mm_shuffle_epi8(bytes, _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * x), packed);
    } else {
      const __m128i planes =
          _mm_shuffle_epi8(bytes, _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, -1, -1, -1, -1));
      const int words[3] = {_mm_extract_epi32(planes, 0), _mm_extract_epi32(planes, 1),
                            _mm_extract_epi32(planes, 2)};
      for (int channel = 0; channel < 3; ++channel)
        std::memcpy(out + channel * width + x, &words[channel], 4);
    }
  }
  for (; x < width; ++x, pairs += stride) {
    alignas(16) int32_t levels[4];
    _mm_store_si128(reinterpret_cast<__m128i*>(levels), Pixel<kPairs>(row + 3 * start[x], pairs, count));
    for (int channel = 0; channel < 3; ++channel) {
      out[order == RowOrder::kInterleaved ? 3 * x + channel : channel * width + x] =
          static_cast<uint8_t>(levels[channel]);
    }
  }
}

BUCKETLINE_AVX2 __m256 LoadLevels(const uint8_t* from) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
BUCKETLINE_AVX2 __m256 LoadLevels(const float* from) { return _mm256_loadu_ps(from); }

template <typename Level>
BUCKETLINE_AVX2 void Stream(const Level* in, int count, float scale, const float* mean, const float* std,
                            float* out) {
  const __m256 scales = _mm256_set1_ps(scale);
  for (int i = 0; i < count; i += 8) {
    const __m256 levels = _mm256_mul_ps(LoadLevels(in + i), scales);
    const __m256 centred = _mm256_sub_ps(levels, _mm256_loadu_ps(mean + i));
    _mm256_stream_ps(out + i, _mm256_div_ps(centred, _mm256_loadu_ps(std + i)));
  }
}

}  // namespace

[[gnu::target("avx2")]] void StreamU8Avx2(const uint8_t* in, int count, float scale, const float* mean,
                                          const float* std, float* out) {
  Stream(in, count, scale, mean, std, out);
}

[[gnu::target("avx2")]] void StreamF32Avx2(const float* in, int count, float scale, const float* mean,
                                           const float* std, float* out) {
  Stream(in, count, scale, mean, std, out);
}

void EndStreamAvx2() { _mm_sfence(); }

[[gnu::target("avx2")]] void HorizontalPairsAvx2(const uint8_t* row, const PillowWeights& weights,
                                                 RowOrder order, uint8_t* out) {
  switch ((weights.taps + 1) / 2) {
    case 1:
      return Row<1>(row, weights, order, out);
    case 2:
      return Row<2>(row, weights, order, out);
    case 3:
      return Row<3>(row, weights, order, out);
    default:
      return Row<0>(row, weights, order, out);
  }
}

}  // namespace bucketline

#endif
