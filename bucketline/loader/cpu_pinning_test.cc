#include "bucketline/loader/cpu_pinning.h"

#include <map>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

// Where the calling thread may run.
std::vector<int> CpusOfThread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

// The CPUs of each decode thread, seen from inside. All of them come, for each waits for the others.
std::set<std::vector<int>> CpusOfDecodeThreads(bool pin_threads, size_t threads) {
  ImageBucket bucket(12);
  std::mutex mutex;
  std::condition_variable came;
  std::map<std::thread::id, std::vector<int>> seen;
  LoaderOptions options = SmallOptions();
  options.threads = threads;
  options.pin_threads = pin_threads;
  options.transform = [&](TransformSample&) {
    std::unique_lock lock(mutex);
    seen[std::this_thread::get_id()] = CpusOfThread();
    came.notify_all();
    EXPECT_TRUE(came.wait_for(lock, std::chrono::seconds(120), [&] { return seen.size() == threads; }));
    return TransformResult::Keep();
  };
  Loader loader(bucket.Open(), options);
  EXPECT_EQ(RestOfEpoch(loader).size(), 3u);
  loader.Close();
  std::set<std::vector<int>> distinct;
  for (const auto& [thread, cpus] : seen) distinct.insert(cpus);
  return distinct;
}

TEST(CpuPinning, TheProcessesCpusAreThoseOfItsMask) { EXPECT_EQ(CpusOfProcess(), CpusOfThread()); }

TEST(CpuPinning, DecodeThreadsGoRoundTheProcessesCpus) {
  const std::vector<int> cpus = CpusOfProcess();
  std::set<std::vector<int>> expected;
  for (size_t i = 0; i < 3; ++i) expected.insert({cpus[i % cpus.size()]});
  EXPECT_EQ(CpusOfDecodeThreads(true, 3), expected);
  EXPECT_EQ(CpusOfThread(), cpus);  // nobody else is pinned
}

TEST(CpuPinning, IsOffUnlessAskedFor) {
  EXPECT_EQ(CpusOfDecodeThreads(false, 2), (std::set<std::vector<int>>{CpusOfThread()}));
}

TEST(CpuPinning, ACpuThatTheProcessMayNotUseIsRefused) {
  std::thread thread([] {});
  const Error error = ErrorOf([&] { PinThread(thread, 60000); });
  thread.join();
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), HasSubstr("pin_threads"));
}

}  // namespace
}  // namespace bucketline
