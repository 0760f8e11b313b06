#include "bucketline/dataset/parallel.h"

#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::ErrorOf;

TEST(RunParallel, CallsEachNumberOnce) {
  for (const size_t width : {1u, 3u, 200u}) {
    std::vector<std::atomic<int>> calls(100);
    RunParallel(100, width, [&](size_t i) { ++calls[i]; });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
  RunParallel(0, 4, [](size_t) { FAIL(); });
}

TEST(RunParallel, NeverMoreAtATime) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  RunParallel(500, 3, [&](size_t) {
    const int now = ++running;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    --running;
  });
  EXPECT_LE(most, 3);
}

TEST(RunParallel, AnErrorEndsTheRestAndIsThrown) {
  std::atomic<size_t> calls{0};
  const auto task = [&](size_t i) {
    ++calls;
    if (i == 5) throw Error(ErrorCode::kNotFound, "number 5");
  };
  EXPECT_EQ(ErrorOf([&] { RunParallel(1000, 1, task); }).code(), ErrorCode::kNotFound);
  EXPECT_EQ(calls, 6u);
}

}  // namespace
}  // namespace bucketline
