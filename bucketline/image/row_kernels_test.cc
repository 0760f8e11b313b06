#include "bucketline/image/row_kernels.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

std::vector<uint8_t> RandomBytes(size_t count, uint64_t seed) {
  CounterRng rng(seed, 1, 2);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) {
    const uint64_t draw = rng.NextBelow(300);
    byte = static_cast<uint8_t>(draw > 255 ? (draw % 2) * 255 : draw);  // many extremes
  }
  return bytes;
}

struct Axis {
  PillowWeights pillow;
  TensorflowWeights tensorflow;
};

Axis MakeAxis(int source, int resized, Resize filter = Resize::kBilinear) {
  Axis axis;
  std::vector<double> scratch;
  const AxisPlan plan{0, source, resized, 0, resized};
  BuildPillowWeights(plan, {filter}, false, &scratch, &axis.pillow);
  PackWeightPairs(&axis.pillow);
  BuildTensorflowWeights(plan, {filter}, false, &scratch, &axis.tensorflow);
  return axis;
}

constexpr Resize kFilters[] = {Resize::kBilinear, Resize::kBicubic, Resize::kLanczos, Resize::kNearest};

constexpr int kSizes[][2] = {{1, 1},    {5, 5},  {50, 83},  {60, 40}, {91, 30},
                             {120, 23}, {97, 1}, {400, 31}, {700, 45}};

size_t At(RowOrder order, int x, int c, int width, int channels) {
  return static_cast<size_t>(order == RowOrder::kPlanar ? c * width + x : x * channels + c);
}

// One output by the definition.
int Expected(const PillowWeights& axis, const std::vector<uint8_t>& row, int x, int c, int channels) {
  int64_t sum = 1 << (kWeightBits - 1);
  for (int t = 0; t < axis.taps; ++t) {
    const int source = axis.begin + axis.start[static_cast<size_t>(x)] + t;
    sum += static_cast<int64_t>(row[static_cast<size_t>(source * channels + c)]) * axis.WeightsOf(x)[t];
  }
  return static_cast<int>(std::clamp<int64_t>(sum >> kWeightBits, 0, 255));
}

class RowKernelsFilterTest : public ::testing::TestWithParam<Resize> {};

INSTANTIATE_TEST_SUITE_P(Filters, RowKernelsFilterTest, ::testing::ValuesIn(kFilters));

TEST_P(RowKernelsFilterTest, HorizontalIsTheWeightedSum) {
  for (const auto& [source, resized] : kSizes) {
    const Axis axis = MakeAxis(source, resized, GetParam());
    for (const int channels : {1, 3}) {
      std::vector<uint8_t> row = RandomBytes(static_cast<size_t>(source * channels) + 16, 5);
      const uint8_t* from = row.data() + axis.pillow.begin * channels;
      for (const RowOrder order : {RowOrder::kInterleaved, RowOrder::kPlanar}) {
        std::vector<uint8_t> out(static_cast<size_t>(resized * channels + kOutputSlack));
        BaselineKernels().horizontal_u8(from, axis.pillow, channels, order, out.data());
        for (int x = 0; x < resized; ++x) {
          for (int c = 0; c < channels; ++c) {
            ASSERT_EQ(out[At(order, x, c, resized, channels)], Expected(axis.pillow, row, x, c, channels))
                << source << "->" << resized << " x " << x << " c " << c;
          }
        }
      }
    }
  }
}

TEST(RowKernelsTest, FloatHorizontalIsNearTheBytes) {
  for (const auto& [source, resized] : kSizes) {
    const Axis axis = MakeAxis(source, resized);
    std::vector<uint8_t> row = RandomBytes(static_cast<size_t>(source * 3) + 16, 6);
    std::vector<float> out(static_cast<size_t>(resized * 3 + kOutputSlack));
    BaselineKernels().horizontal_f32(row.data() + axis.tensorflow.begin * 3, axis.tensorflow, 3,
                                     RowOrder::kPlanar, out.data());
    for (int x = 0; x < resized; ++x) {
      for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(out[At(RowOrder::kPlanar, x, c, resized, 3)], Expected(axis.pillow, row, x, c, 3), 0.51);
      }
    }
  }
}

TEST_P(RowKernelsFilterTest, EveryVersionGivesTheSameBits) {
  const RowKernels& base = BaselineKernels();
  const RowKernels& fast = FastestKernels();
  for (const auto& [source, resized] : kSizes) {
    const Axis axis = MakeAxis(source, resized, GetParam());
    for (const int channels : {1, 3}) {
      const auto row = RandomBytes(static_cast<size_t>(source * channels) + 16, 9);
      const size_t values = static_cast<size_t>(resized * channels);
      for (const RowOrder order : {RowOrder::kInterleaved, RowOrder::kPlanar}) {
        std::vector<uint8_t> a(values + kOutputSlack), b(values + kOutputSlack);
        base.horizontal_u8(row.data() + axis.pillow.begin * channels, axis.pillow, channels, order, a.data());
        fast.horizontal_u8(row.data() + axis.pillow.begin * channels, axis.pillow, channels, order, b.data());
        a.resize(values);
        b.resize(values);
        EXPECT_EQ(a, b) << source << "->" << resized;
        std::vector<float> c(values + kOutputSlack), d(values + kOutputSlack);
        base.horizontal_f32(row.data() + axis.tensorflow.begin * channels, axis.tensorflow, channels, order,
                            c.data());
        fast.horizontal_f32(row.data() + axis.tensorflow.begin * channels, axis.tensorflow, channels, order,
                            d.data());
        c.resize(values);
        d.resize(values);
        EXPECT_EQ(c, d) << source << "->" << resized;
      }
    }
  }
}

TEST(RowKernelsTest, VerticalIsTheWeightedSumInEveryVersion) {
  for (int taps = 1; taps <= 20; ++taps) {
    const int count = 131;
    std::vector<std::vector<uint8_t>> bytes;
    std::vector<std::vector<float>> floats;
    std::vector<const uint8_t*> byte_rows;
    std::vector<const float*> float_rows;
    std::vector<int32_t> weights;
    std::vector<float> float_weights;
    for (int t = 0; t < taps; ++t) {
      bytes.push_back(RandomBytes(count, static_cast<uint64_t>(t)));
      floats.emplace_back(bytes.back().begin(), bytes.back().end());
      weights.push_back((1 << kWeightBits) / taps + 1);
      float_weights.push_back(1.0f / static_cast<float>(taps));
    }
    for (int t = 0; t < taps; ++t) {
      byte_rows.push_back(bytes[static_cast<size_t>(t)].data());
      float_rows.push_back(floats[static_cast<size_t>(t)].data());
    }
    std::vector<uint8_t> a(count), b(count);
    BaselineKernels().vertical_u8(byte_rows.data(), weights.data(), taps, count, a.data());
    FastestKernels().vertical_u8(byte_rows.data(), weights.data(), taps, count, b.data());
    EXPECT_EQ(a, b) << taps;
    std::vector<float> c(count), d(count);
    BaselineKernels().vertical_f32(float_rows.data(), float_weights.data(), taps, count, c.data());
    FastestKernels().vertical_f32(float_rows.data(), float_weights.data(), taps, count, d.data());
    EXPECT_EQ(c, d) << taps;
    for (int i = 0; i < count; ++i) {
      int64_t sum = 1 << (kWeightBits - 1);
      for (int t = 0; t < taps; ++t)
        sum += static_cast<int64_t>(byte_rows[static_cast<size_t>(t)][i]) * weights[0];
      EXPECT_EQ(a[static_cast<size_t>(i)], std::min<int64_t>(sum >> kWeightBits, 255));
      EXPECT_NEAR(c[static_cast<size_t>(i)], a[static_cast<size_t>(i)], 0.51);
    }
  }
}

TEST(RowKernelsTest, NormaliseIsTheFormulaInEveryVersion) {
  const auto bytes = RandomBytes(101, 3);
  const std::vector<float> floats(bytes.begin(), bytes.end());
  std::vector<float> mean(101), std(101);
  for (size_t i = 0; i < mean.size(); ++i) {
    mean[i] = 0.4f + 0.001f * static_cast<float>(i);
    std[i] = 0.2f + 0.003f * static_cast<float>(i);
  }
  constexpr float kScale = 1.0f / 255;
  for (const RowKernels* kernels : {&BaselineKernels(), &FastestKernels()}) {
    std::vector<float> a(101), b(101);
    kernels->normalise_u8(bytes.data(), 101, kScale, mean.data(), std.data(), a.data());
    kernels->normalise_f32(floats.data(), 101, kScale, mean.data(), std.data(), b.data());
    EXPECT_EQ(a, b);
    for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i], (floats[i] * kScale - mean[i]) / std[i]);
  }
}

TEST(RowKernelsTest, StreamsWhatNormaliseGives) {
  constexpr int kCount = 7 * kCacheLine / sizeof(float);
  const auto bytes = RandomBytes(kCount, 4);
  const std::vector<float> floats(bytes.begin(), bytes.end());
  std::vector<float> mean(kCount), std(kCount), expected(kCount);
  for (size_t i = 0; i < mean.size(); ++i) {
    mean[i] = 0.4f + 0.001f * static_cast<float>(i);
    std[i] = 0.2f + 0.003f * static_cast<float>(i);
  }
  constexpr float kScale = 1.0f / 255;
  BaselineKernels().normalise_u8(bytes.data(), kCount, kScale, mean.data(), std.data(), expected.data());
  for (const RowKernels* kernels : {&BaselineKernels(), &FastestKernels()}) {
    alignas(kCacheLine) float a[kCount + 1] = {}, b[kCount + 1] = {};
    kernels->stream_u8(bytes.data(), kCount, kScale, mean.data(), std.data(), a);
    kernels->stream_f32(floats.data(), kCount, kScale, mean.data(), std.data(), b);
    kernels->end_stream();
    EXPECT_THAT(std::span(a).first(kCount), ::testing::ElementsAreArray(expected));
    EXPECT_THAT(std::span(b).first(kCount), ::testing::ElementsAreArray(expected));
    EXPECT_EQ(a[kCount], 0);
    EXPECT_EQ(b[kCount], 0);
  }
}

TEST(RowKernelsTest, RoundSaturatesAndTakesHalvesUp) {
  const std::vector<float> in = {-3, -0.4f, 0.49f, 0.5f, 1.5f, 2.5f, 254.4f, 254.5f, 255.4f, 999};
  for (const RowKernels* kernels : {&BaselineKernels(), &FastestKernels()}) {
    std::vector<uint8_t> out(in.size());
    kernels->round_f32(in.data(), static_cast<int>(in.size()), out.data());
    EXPECT_THAT(out, ::testing::ElementsAre(0, 0, 0, 1, 2, 3, 254, 255, 255, 255));
  }
}

// Lobes beyond black and white: the sum of {-1/8, 5/4, -1/8} of extremes leaves 0..255 on both sides.
TEST(RowKernelsTest, VerticalSaturatesOnBothSides) {
  const std::vector<uint8_t> dark(40, 0), light(40, 255);
  const uint8_t* rows[2][3] = {{dark.data(), light.data(), dark.data()},
                               {light.data(), dark.data(), light.data()}};
  constexpr int32_t kWeights[3] = {-(1 << 19), 5 << 20, -(1 << 19)};
  for (const RowKernels* kernels : {&BaselineKernels(), &FastestKernels()}) {
    std::vector<uint8_t> out(40);
    kernels->vertical_u8(rows[0], kWeights, 3, 40, out.data());
    EXPECT_EQ(out, light);
    kernels->vertical_u8(rows[1], kWeights, 3, 40, out.data());
    EXPECT_EQ(out, dark);
  }
}

// Every half there is comes back, and what lies between two of them goes to the nearer, ties to the even one.
TEST(RowKernelsTest, HalvesAreTheNearest) {
  const auto value_of = [](uint32_t half) {
    const int exponent = static_cast<int>(half >> 10 & 31);
    const double fraction = static_cast<double>(half & 1023) / 1024;
    return exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  };
  std::vector<float> in;
  std::vector<uint16_t> expected;
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const auto value = static_cast<float>(value_of(half));
    const auto middle = static_cast<float>((value_of(half) + value_of(half + 1)) / 2);
    const auto even = static_cast<uint16_t>(half % 2 == 0 ? half : half + 1);
    in.insert(in.end(), {value, -value, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)});
    const auto exact = static_cast<uint16_t>(half);
    expected.insert(expected.end(), {exact, static_cast<uint16_t>(exact | 0x8000), even, exact,
                                     static_cast<uint16_t>(half + 1)});
  }
  in.insert(in.end(), {1e9f, -1e9f, INFINITY});
  expected.insert(expected.end(), {0x7c00, 0xfc00, 0x7c00});
  for (const RowKernels* kernels : {&BaselineKernels(), &FastestKernels()}) {
    std::vector<uint16_t> out(in.size());
    kernels->to_half(in.data(), static_cast<int>(in.size()), out.data());
    EXPECT_EQ(out, expected);
    const float nan = NAN;
    kernels->to_half(&nan, 1, out.data());
    EXPECT_EQ(out[0] & 0x7fff, 0x7e00);
  }
}

}  // namespace
}  // namespace bucketline
