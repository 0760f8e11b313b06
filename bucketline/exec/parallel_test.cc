#include "bucketline/exec/parallel.h"

#include <atomic>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bucketline/base/result.h"

namespace bucketline {
namespace {

// How many threads, of 40, did 1,000 things; 0 when these were not done.
int ThreadsThatDidAll() {
  std::atomic<int> threads{0};
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  RunOnThreads(40, "test", [&] {
    ++threads;
    while (next++ < 1000) ++done;
  });
  return done == 1000 ? threads.load() : 0;
}

TEST(RunOnThreads, EachOfThemCallsTheWork) {
  std::atomic<int> calls{0};
  RunOnThreads(5, "test", [&] { ++calls; });
  EXPECT_EQ(calls, 5);
  RunOnThreads(0, "test", [&] { ++calls; });
  EXPECT_EQ(calls, 5);
  EXPECT_EQ(ThreadsThatDidAll(), 40);
}

// A sanitizer needs address space of its own.
#if !defined(BUCKETLINE_ADDRESS_SANITIZER) && !defined(BUCKETLINE_THREAD_SANITIZER)
// Lets the process have no more address space than it has and `more` bytes.
void LimitMemory(uint64_t more) {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlimit limit{pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) + more, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
}

TEST(RunOnThreadsDeathTest, FewerThreadsDoTheSameWork) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        LimitMemory(60 << 20);  // the stacks of a few threads
        const int threads = ThreadsThatDidAll();
        std::_Exit(threads > 0 && threads < 40 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(RunOnThreadsDeathTest, WithoutAnyThreadItIsAnError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        LimitMemory(1 << 20);
        const auto run = Catch([] { (void)ThreadsThatDidAll(); });
        std::_Exit(!run && run.error().code() == ErrorCode::kResourceExhausted ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}
#endif

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
  const auto run = Catch([&] { RunParallel(1000, 1, task); });
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(calls, 6u);
}

}  // namespace
}  // namespace bucketline
