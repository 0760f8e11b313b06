#include "bucketline/exec/thread_pool.h"

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using std::chrono_literals::operator""s;

constexpr auto kDeadline = 120s;

// What `f` returns when it runs as a task of `pool`; throws when the deadline passes.
template <typename F>
auto RunIn(ThreadPool& pool, F f) -> decltype(f()) {
  auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
  auto done = task->get_future();
  if (!pool.Submit([task] { (*task)(); })) throw std::runtime_error("refused");
  if (done.wait_for(kDeadline) != std::future_status::ready) throw std::runtime_error("still waiting");
  return done.get();
}

std::string ThreadName() {
  char name[64] = {};
  pthread_getname_np(pthread_self(), name, sizeof(name));
  return name;
}

bool Blocks(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

TEST(ThreadPool, RunsTasksInTheOrderOfSubmission) {
  std::vector<int> order;
  ThreadPool pool(1, "test");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(pool.Submit([&order, i] { order.push_back(i); }));
  pool.Stop();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(ThreadPool, HasAsManyThreadsAsItSays) {
  constexpr size_t kThreads = 3;
  auto together = std::make_shared<std::latch>(kThreads);
  std::promise<void> all;
  std::atomic<size_t> ended{0};
  ThreadPool pool(kThreads, "test");
  EXPECT_EQ(pool.size(), kThreads);
  // Each task ends only when all three run at once.
  for (size_t i = 0; i < kThreads; ++i) {
    ASSERT_TRUE(pool.Submit([&, together] {
      together->arrive_and_wait();
      if (++ended == kThreads) all.set_value();
    }));
  }
  EXPECT_EQ(all.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST(ThreadPool, ZeroThreadsCountAsOne) {
  ThreadPool pool(0, "test");
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(RunIn(pool, [] { return 5; }), 5);
}

TEST(ThreadPool, StopRunsWhatWasSubmittedAndRefusesTheRest) {
  std::promise<void> gate;
  auto opened = gate.get_future().share();
  int ran = 0;
  ThreadPool pool(1, "test");
  ASSERT_TRUE(pool.Submit([opened] { opened.wait_for(kDeadline); }));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pool.Submit([&ran] { ++ran; }));
  gate.set_value();
  pool.Stop();
  EXPECT_EQ(ran, 10);
  EXPECT_FALSE(pool.Submit([&ran] { ran = -1; }));
  pool.Stop();
  EXPECT_EQ(ran, 10);
}

TEST(ThreadPool, TheDestructorStops) {
  std::atomic<int> ran{0};
  {
    ThreadPool pool(2, "test");
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(pool.Submit([&ran] { ++ran; }));
  }
  EXPECT_EQ(ran, 50);
}

TEST(ThreadPool, StopFromTwoThreadsAtOnceWaitsInBoth) {
  std::atomic<int> ran{0};
  ThreadPool pool(2, "test");
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(pool.Submit([&ran] { ++ran; }));
  auto stop = [&] {
    pool.Stop();
    return ran.load();
  };
  auto other = std::async(std::launch::async, stop);
  EXPECT_EQ(stop(), 200);
  ASSERT_EQ(other.wait_for(kDeadline), std::future_status::ready);
  EXPECT_EQ(other.get(), 200);
}

TEST(ThreadPool, ATaskMaySubmitAnother) {
  std::promise<void> inner;
  ThreadPool pool(1, "test");
  EXPECT_TRUE(RunIn(pool, [&] { return pool.Submit([&] { inner.set_value(); }); }));
  EXPECT_EQ(inner.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST(ThreadPool, CapturesEndWithTheirTask) {
  ThreadPool pool(1, "test");
  auto value = std::make_shared<int>(1);
  ASSERT_TRUE(pool.Submit([value] {}));
  RunIn(pool, [] {});
  EXPECT_EQ(value.use_count(), 1);
}

// A capture whose destructor uses the pool must find it unlocked.
TEST(ThreadPool, CapturesMayUseThePoolWhenTheyEnd) {
  std::promise<void> submitted;
  ThreadPool pool(1, "test");
  std::shared_ptr<void> last(nullptr, [&](void*) { (void)pool.Submit([&] { submitted.set_value(); }); });
  ASSERT_TRUE(pool.Submit([moved = std::move(last)] {}));
  EXPECT_EQ(submitted.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST(ThreadPool, ThreadsBlockEverySignalThatCanBeBlocked) {
  ThreadPool pool(1, "test");
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM, SIGRTMIN + 3}) {
    EXPECT_TRUE(RunIn(pool, [&] { return Blocks(signal); })) << signal;
    EXPECT_FALSE(Blocks(signal)) << "the starter's own mask must be as before: " << signal;
  }
}

TEST(ThreadPool, ThreadsCarryTheNameCutToFifteenCharacters) {
  ThreadPool shorter(1, "decode");
  EXPECT_EQ(RunIn(shorter, ThreadName), "decode");
  ThreadPool longer(1, "a-very-long-thread-name");
  EXPECT_EQ(RunIn(longer, ThreadName), "a-very-long-thr");
}

TEST(ThreadPoolDeathTest, ATaskThatThrowsEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        ThreadPool pool(1, "test");
        (void)pool.Submit([] { throw std::runtime_error("tasks must not throw"); });
        pool.Stop();
      },
      "tasks must not throw");
}

// Stacks larger than the address space: the system must refuse the thread.
class HugeStacks {
 public:
  HugeStacks() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 62);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~HugeStacks() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_;
};

TEST(ThreadPool, AThreadThatCannotBeStartedIsAnErrorThatNamesIt) {
  const HugeStacks huge;
  try {
    ThreadPool pool(2, "decode");
    FAIL() << "did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
    EXPECT_THAT(error.what(), testing::HasSubstr("\"decode\""));
    EXPECT_THAT(error.what(), testing::HasSubstr("fewer threads"));
  }
  EXPECT_FALSE(Blocks(SIGTERM)) << "the mask is restored after a failure too";
}

}  // namespace
}  // namespace bucketline
