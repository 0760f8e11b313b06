#include "bucketline/image/row_kernels_avx2.h"

#include <gtest/gtest.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

#if defined(__x86_64__)
// Every number of taps that has a kernel of its own, every width beside a multiple of four.
TEST(RowKernelsAvx2Test, EqualsTheBaseline) {
  if (!__builtin_cpu_supports("avx2")) GTEST_SKIP() << "this CPU has no AVX2";
  CounterRng rng(2, 0, 0);
  for (const Resize filter :
       {Resize::kBilinear, Resize::kBicubic, Resize::kLanczos, Resize::kArea, Resize::kNearest}) {
    for (int source = 1; source < 120; source += 7) {
      for (int width = 1; width < 40; width += 3) {
        PillowWeights weights;
        std::vector<double> scratch;
        BuildPillowWeights({0, source, width, 0, width}, {filter}, rng.NextBelow(2) == 1, &scratch, &weights);
        PackWeightPairs(&weights);
        std::vector<uint8_t> row(static_cast<size_t>(source * 3 + 16));
        for (uint8_t& level : row) level = static_cast<uint8_t>(rng.NextBelow(2) * 255);
        for (const RowOrder order : {RowOrder::kInterleaved, RowOrder::kPlanar}) {
          std::vector<uint8_t> a(static_cast<size_t>(3 * width + kOutputSlack)), b = a;
          const uint8_t* from = row.data() + weights.begin * 3;
          BaselineKernels().horizontal_u8(from, weights, 3, order, a.data());
          HorizontalPairsAvx2(from, weights, order, b.data());
          a.resize(static_cast<size_t>(3 * width));
          b.resize(a.size());
          ASSERT_EQ(a, b) << source << " -> " << width;
        }
      }
    }
  }
}
#endif

}  // namespace
}  // namespace bucketline
