// What a Loader says of itself: its figures, whether Next would wait, and that it waits for long.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/store/fault_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(LoaderWaiting, StatsCountWhatWasDelivered) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open();
  Loader loader(dataset, SmallOptions());
  EXPECT_EQ(loader.Stats().batches, 0u);
  RestOfEpoch(loader);
  const LoaderStats stats = loader.Stats();
  EXPECT_EQ(stats.batches, 3u);
  EXPECT_EQ(stats.images, 10u);
  EXPECT_GE(stats.record_bytes, dataset.total_bytes());
  EXPECT_GE(stats.fetch.count, 10u);
  EXPECT_GE(stats.decode.count, 10u);
  EXPECT_GT(stats.fetch.wall.count(), 0);
  EXPECT_GT(stats.decode.wall.count(), 0);
  EXPECT_GT(stats.decode.cpu.count(), 0);
  EXPECT_GT(stats.wait.count(), 0);
  EXPECT_EQ(stats.budget_capacity, uint64_t{32} << 20);
  EXPECT_GT(stats.budget_peak, 0u);
}

TEST(LoaderWaiting, WaitForSaysWhetherNextWouldWait) {
  ImageBucket bucket(4);
  auto hanging = std::make_shared<FaultStore>(bucket.store(), Always(StoreOp::kGet, Fault::Hang()));
  Loader stuck(bucket.OpenThrough(hanging), SmallOptions());
  const SteadyTime start = Clock::Real().Now();
  EXPECT_FALSE(stuck.WaitFor(std::chrono::milliseconds(20)));
  EXPECT_GE(Clock::Real().Now() - start, std::chrono::milliseconds(20));
  stuck.Close();
  EXPECT_EQ(ErrorOf([&] { stuck.WaitFor(std::chrono::hours(1)); }).code(), ErrorCode::kCancelled);

  Loader loader(bucket.Open(), SmallOptions());
  EXPECT_TRUE(loader.WaitFor(std::chrono::minutes(1)));
  EXPECT_TRUE(loader.Next());
  EXPECT_TRUE(loader.WaitFor(Duration(0))) << "the epoch's end needs no data";
  EXPECT_FALSE(loader.Next());
}

TEST(LoaderWaiting, AStallIsLogged) {
  std::mutex mutex;
  std::condition_variable logged;
  std::vector<std::string> messages;
  RuntimeOptions runtime;
  runtime.log = [&](LogLevel level, std::string_view message) {
    std::lock_guard lock(mutex);
    if (level == LogLevel::kWarning) messages.emplace_back(message);
    logged.notify_all();
  };
  ImageBucket bucket(4, runtime);
  auto hanging = std::make_shared<FaultStore>(bucket.store(), Always(StoreOp::kGet, Fault::Hang()));
  LoaderOptions options = SmallOptions();
  options.stall_warning = std::chrono::milliseconds(5);
  options.max_requests = 4;
  Loader loader(bucket.OpenThrough(hanging), options);
  std::thread consumer([&] { EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kCancelled); });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(logged.wait_for(lock, std::chrono::seconds(120), [&] { return messages.size() >= 3; }));
    EXPECT_THAT(messages.back(), AllOf(HasSubstr("4 of 4 rows"), HasSubstr("position 0 of epoch 0"),
                                       HasSubstr(", 4 requests"), HasSubstr("mem://through0/")));
  }
  loader.Close();
  consumer.join();
}

TEST(LoaderWaiting, AStallOfManyShortWaitsIsLogged) {
  std::atomic<int> warnings = 0;
  RuntimeOptions runtime;
  runtime.log = [&](LogLevel level, std::string_view) { warnings += level == LogLevel::kWarning ? 1 : 0; };
  ImageBucket bucket(4, runtime);
  auto hanging = std::make_shared<FaultStore>(bucket.store(), Always(StoreOp::kGet, Fault::Hang()));
  LoaderOptions options = SmallOptions();
  options.stall_warning = std::chrono::milliseconds(20);
  Loader loader(bucket.OpenThrough(hanging), options);
  const SteadyTime deadline = Clock::Real().Now() + std::chrono::seconds(120);
  while (warnings < 2 && Clock::Real().Now() < deadline)
    EXPECT_FALSE(loader.WaitFor(std::chrono::milliseconds(1)));
  EXPECT_GE(warnings, 2);
}

}  // namespace
}  // namespace bucketline
