#include "bucketline/base/metrics.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "bucketline/base/random.h"

namespace bucketline {
namespace {

TEST(Counter, Counts) {
  Counter counter;
  EXPECT_EQ(counter.value(), 0u);
  counter.Add();
  counter.Add(41);
  EXPECT_EQ(counter.value(), 42u);
}

TEST(Histogram, EmptyIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.sum(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), 0u);
}

TEST(Histogram, CountsSumsAndKeepsTheLargest) {
  Histogram histogram;
  for (const uint64_t value : {7u, 1000u, 3u}) histogram.Record(value);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.sum(), 1010u);
  EXPECT_EQ(histogram.max(), 1000u);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (uint64_t value = 0; value < 16; ++value) histogram.Record(value);
  for (int i = 1; i <= 16; ++i) EXPECT_EQ(histogram.Quantile(i / 16.0), static_cast<uint64_t>(i - 1));
  EXPECT_EQ(histogram.Quantile(0), 0u);
}

TEST(Histogram, AnyValueComesBackAtMostAnEighthTooHigh) {
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = 1ull << bit;
    for (const uint64_t value : {power - 1, power, power + 1, power + power / 3, power + (power - 1)}) {
      Histogram histogram;
      histogram.Record(value);
      histogram.Record(UINT64_MAX);  // so that max() does not hide the bucket's edge
      EXPECT_GE(histogram.Quantile(0.5), value);
      EXPECT_LE(histogram.Quantile(0.5) - value, value / 8) << value;
      EXPECT_EQ(histogram.Quantile(1), UINT64_MAX);
    }
  }
}

TEST(Histogram, NoQuantileIsAboveTheLargestValue) {
  Histogram histogram;
  for (int i = 0; i < 10; ++i) histogram.Record(1025);
  EXPECT_EQ(histogram.Quantile(0.5), 1025u);
  EXPECT_EQ(histogram.Quantile(1), 1025u);
}

TEST(Histogram, QuantilesAreCloseToExactOnes) {
  CounterRng rng(1, 0, 0);
  for (int shape = 0; shape < 3; ++shape) {
    Histogram histogram;
    std::vector<uint64_t> values;
    for (int i = 0; i < 20000; ++i) {
      const double uniform = rng.NextDouble();
      const double value = shape == 0   ? uniform * 1e6                 // flat
                           : shape == 1 ? -std::log(1 - uniform) * 1e4  // a long tail
                                        : std::exp(uniform * 40);       // all magnitudes
      values.push_back(static_cast<uint64_t>(value));
      histogram.Record(values.back());
    }
    std::sort(values.begin(), values.end());
    for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const size_t rank = std::max<size_t>(1, static_cast<size_t>(std::ceil(q * 20000)));
      const uint64_t exact = values[rank - 1];
      EXPECT_GE(histogram.Quantile(q), exact) << "shape " << shape << " q " << q;
      EXPECT_LE(histogram.Quantile(q) - exact, exact / 8) << "shape " << shape << " q " << q;
    }
  }
}

TEST(Histogram, LosesNothingOfManyThreads) {
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kEach = 20000;
  Histogram histogram;
  Counter counter;
  {
    std::vector<std::jthread> threads;
    for (uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (uint64_t i = 0; i < kEach; ++i) {
          histogram.Record(i * kThreads + thread);
          counter.Add();
        }
      });
    }
  }
  constexpr uint64_t kTotal = kThreads * kEach;
  EXPECT_EQ(counter.value(), kTotal);
  EXPECT_EQ(histogram.count(), kTotal);
  EXPECT_EQ(histogram.sum(), kTotal * (kTotal - 1) / 2);
  EXPECT_EQ(histogram.max(), kTotal - 1);
  EXPECT_EQ(histogram.Quantile(1), kTotal - 1);
}

}  // namespace
}  // namespace bucketline
