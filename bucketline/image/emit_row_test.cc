#include "bucketline/image/emit_row.h"

#include <cstring>

#include <gtest/gtest.h>

namespace bucketline {
namespace {

// Levels of part row `y`, in `order`: the value tells row, column and channel.
std::vector<uint8_t> Levels(int y, int width, RowOrder order) {
  std::vector<uint8_t> levels(static_cast<size_t>(3 * width));
  for (int x = 0; x < width; ++x) {
    for (int c = 0; c < 3; ++c) {
      levels[static_cast<size_t>(order == RowOrder::kPlanar ? c * width + x : 3 * x + c)] =
          static_cast<uint8_t>(50 * y + 10 * x + c + 1);
    }
  }
  return levels;
}

int Level(int y, int x, int c) { return 50 * y + 10 * x + c + 1; }

class EmitRowTest : public ::testing::TestWithParam<PixelLayout> {
 protected:
  // Emits all rows and returns what stands at (y, x, c) of the row.
  template <typename T>
  std::vector<T> Emit(const ImageSpec& spec, const Placement& place) {
    std::vector<T> row(static_cast<size_t>(place.width * place.height * 3), T{});
    RowEmitter emitter;
    emitter.Prepare(spec, BaselineKernels(), place, CounterRng(0, 0, 0),
                    {reinterpret_cast<uint8_t*>(row.data()), row.size() * sizeof(T)});
    for (int y = 0; y < place.rows(); ++y) emitter.Emit(y, Levels(y, place.length(), emitter.order()).data());
    emitter.Finish();
    emitter.Close();
    return row;
  }

  size_t At(const Placement& place, int y, int x, int c) const {
    return static_cast<size_t>(GetParam() == PixelLayout::kNchw ? (c * place.height + y) * place.width + x
                                                                : (y * place.width + x) * 3 + c);
  }

  ImageSpec Spec(PixelType type) const {
    ImageSpec spec;
    spec.type = type;
    spec.layout = GetParam();
    return spec;
  }
};

INSTANTIATE_TEST_SUITE_P(Layouts, EmitRowTest, ::testing::Values(PixelLayout::kNhwc, PixelLayout::kNchw));

TEST_P(EmitRowTest, PutsThePartWhereItBelongs) {
  for (const bool transposed : {false, true}) {
    for (const bool descending : {false, true}) {
      const Placement place{7, 6, 2, 1, 4, 3, descending, transposed};
      const auto row = Emit<uint8_t>(Spec(PixelType::kUint8), place);
      for (int y = 0; y < 6; ++y) {
        for (int x = 0; x < 7; ++x) {
          for (int c = 0; c < 3; ++c) {
            int line = transposed ? x - 2 : y - 1;
            const int along = transposed ? y - 1 : x - 2;
            const bool inside = x >= 2 && x < 6 && y >= 1 && y < 4;
            if (descending) line = place.rows() - 1 - line;
            EXPECT_EQ(row[At(place, y, x, c)], inside ? Level(line, along, c) : 0);
          }
        }
      }
    }
  }
}

TEST_P(EmitRowTest, NormalisesByChannel) {
  ImageSpec spec = Spec(PixelType::kFloat32);
  spec.mean = {0.1f, 0.2f, 0.3f};
  spec.std = {0.5f, 0.25f, 2};
  const Placement place{4, 3, 0, 0, 4, 3};
  const auto row = Emit<float>(spec, place);
  spec.type = PixelType::kFloat16;
  const auto halves = Emit<uint16_t>(spec, place);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 4; ++x) {
      for (size_t c = 0; c < 3; ++c) {
        const float value =
            (static_cast<float>(Level(y, x, static_cast<int>(c))) * spec.scale - spec.mean[c]) / spec.std[c];
        const size_t at = At(place, y, x, static_cast<int>(c));
        EXPECT_EQ(row[at], value);
        uint16_t half = 0;
        BaselineKernels().to_half(&value, 1, &half);
        EXPECT_EQ(halves[at], half);
      }
    }
  }
}

int streamed = 0;
int ended = 0;

RowKernels CountingKernels() {
  RowKernels kernels = BaselineKernels();
  kernels.stream_u8 = [](const uint8_t* in, int count, float scale, const float* mean, const float* std,
                         float* out) {
    ++streamed;
    BaselineKernels().normalise_u8(in, count, scale, mean, std, out);
  };
  kernels.end_stream = [] { ++ended; };
  return kernels;
}

// How often a row of that size at `shift` values from a cache line goes past the caches.
int Streams(const ImageSpec& spec, const Placement& place, size_t shift = 0) {
  const RowKernels kernels = CountingKernels();
  const size_t bytes = static_cast<size_t>(place.width * place.height * 3) * spec.BytesPerValue();
  std::vector<uint8_t> memory(bytes + 2 * kCacheLine);
  const size_t line = kCacheLine - reinterpret_cast<uintptr_t>(memory.data()) % kCacheLine;
  RowEmitter emitter;
  streamed = ended = 0;
  emitter.Prepare(spec, kernels, place, CounterRng(0, 0, 0),
                  std::span(memory).subspan(line + shift * sizeof(float), bytes));
  const std::vector<uint8_t> levels(static_cast<size_t>(3 * place.length()));
  for (int y = 0; y < place.rows(); ++y) emitter.Emit(y, levels.data());
  EXPECT_EQ(ended, 0) << "before the row is whole";
  emitter.Finish();
  EXPECT_EQ(ended, streamed > 0);
  return streamed;
}

TEST_P(EmitRowTest, LargeRowsOfFloatsThatAreWholeCacheLinesGoPastTheCaches) {
  ImageSpec spec = Spec(PixelType::kFloat32);
  EXPECT_EQ(Streams(spec, {224, 224, 0, 0, 224, 224}), GetParam() == PixelLayout::kNchw ? 3 * 224 : 224);
  EXPECT_EQ(Streams(spec, {224, 224, 0, 0, 224, 224}, 1), 0) << "beside a line";
  EXPECT_EQ(Streams(spec, {225, 224, 0, 0, 225, 224}), 0) << "lines are shared";
  EXPECT_EQ(Streams(spec, {224, 224, 0, 16, 224, 192}), 0) << "padded";
  EXPECT_EQ(Streams(spec, {224, 224, 0, 0, 224, 224, false, true}), 0) << "transposed";
  EXPECT_EQ(Streams(spec, {64, 64, 0, 0, 64, 64}), 0) << "small";
  EXPECT_EQ(Streams(Spec(PixelType::kFloat16), {512, 512, 0, 0, 512, 512}), 0);
  EXPECT_EQ(Streams(Spec(PixelType::kUint8), {512, 512, 0, 0, 512, 512}), 0);
  spec.jitter.brightness = 0.5;
  EXPECT_GT(Streams(spec, {224, 224, 0, 0, 224, 224}), 0);
}

TEST_P(EmitRowTest, AnUnfinishedImageLeavesNothingForTheNext) {
  ImageSpec spec = Spec(PixelType::kUint8);
  spec.jitter.brightness = 0.5;
  const Placement place{4, 3, 0, 0, 4, 3};
  std::vector<uint8_t> a(36), b(36), unfinished(243);
  RowEmitter emitter;
  emitter.Prepare(spec, BaselineKernels(), {9, 9, 0, 0, 9, 9}, CounterRng(0, 0, 0), unfinished);
  emitter.Emit(0, Levels(0, 9, emitter.order()).data());
  for (std::vector<uint8_t>* row : {&a, &b}) {
    emitter.Prepare(spec, BaselineKernels(), place, CounterRng(0, 0, 0), *row);
    for (int y = 0; y < 3; ++y) emitter.Emit(y, Levels(y, 4, emitter.order()).data());
    emitter.Finish();
  }
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace bucketline
