#include <atomic>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bucketline/base/random.h"
#include "bucketline/loader/loader_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

constexpr std::chrono::seconds kDeadline{30};

TEST(LoaderStop, AClosedLoaderThrowsCancelled) {
  ImageBucket bucket(8);
  Loader loader(bucket.Open(), SmallOptions());
  ASSERT_TRUE(loader.Next());
  loader.Close();
  loader.Close();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kCancelled);
  EXPECT_EQ(ErrorOf([&] { loader.Restore(loader.State()); }).code(), ErrorCode::kCancelled);
  EXPECT_EQ(loader.State().position, 4u);
  EXPECT_EQ(loader.Stats().batches, 1u);
}

TEST(LoaderStop, CloseWakesANextThatWaits) {
  ImageBucket bucket(8);
  auto hanging = std::make_shared<FaultStore>(bucket.store(), Always(StoreOp::kGet, Fault::Hang()));
  auto recording = std::make_shared<RecordingStore>(hanging);
  Loader loader(bucket.OpenThrough(recording), SmallOptions());
  std::thread consumer([&] { EXPECT_EQ(ErrorOf([&] { loader.Next(); }).code(), ErrorCode::kCancelled); });
  EXPECT_TRUE(recording->WaitForInFlight(8, kDeadline));
  loader.Close();
  consumer.join();
  EXPECT_EQ(recording->in_flight(), 0u);
}

TEST(LoaderStop, RestoreWakesANextThatWaits) {
  ImageBucket bucket(8);
  const Dataset plain = bucket.Open();
  // The first epoch hangs; what is read after the restore does not.
  std::atomic<bool> hang = true;
  const auto script = [&](const StoreCall& call, uint64_t) {
    return call.op == StoreOp::kGet && hang ? Fault::Hang() : Fault::None();
  };
  auto faulty = std::make_shared<FaultStore>(bucket.store(), script);
  auto recording = std::make_shared<RecordingStore>(faulty);
  Loader loader(bucket.OpenThrough(recording), SmallOptions());
  LoaderState later = loader.State();
  later.position = 4;
  std::thread consumer([&] {
    const std::optional<Batch> batch = loader.Next();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->position(), 4u);
  });
  EXPECT_TRUE(recording->WaitForInFlight(8, kDeadline));
  hang = false;
  loader.Restore(later);
  consumer.join();
}

TEST(LoaderStop, DestroyedAtAnyMomentItEndsCleanly) {
  ImageBucket bucket(60);
  const Dataset dataset = bucket.OpenThrough(Uneven(bucket.store(), 2000));
  CounterRng rng(1, 2, 3);
  for (int i = 0, stops = RandomStops(); i < stops; ++i) {
    LoaderOptions options = SmallOptions(1 + static_cast<uint32_t>(rng.NextBelow(8)));
    options.threads = 1 + rng.NextBelow(4);
    options.max_requests = 1 + rng.NextBelow(16);
    options.memory = 1200000 + rng.NextBelow(1 << 22);
    options.shuffle = rng.NextBelow(2) == 0;
    options.on_error = static_cast<OnError>(rng.NextBelow(3));
    if (rng.NextBelow(3) == 0) options.image = ImageSpec{};  // as they are
    const std::chrono::microseconds pause(rng.NextBelow(4000));
    std::vector<Batch> kept;
    {
      Loader loader(dataset, options);
      const uint64_t batches = rng.NextBelow(12);
      for (uint64_t taken = 0; taken < batches; ++taken) {
        if (std::optional<Batch> batch = loader.Next()) kept.push_back(*batch);
      }
      // Where it is stopped does not matter, only that it differs: a busy wait, of whatever length.
      const auto until = std::chrono::steady_clock::now() + pause;
      while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
      if (rng.NextBelow(2) == 0) loader.Close();
    }
    for (const Batch& batch : kept) EXPECT_EQ(Copy(batch).pixels.size(), batch.pixel_bytes());
  }
}

TEST(LoaderStop, ClosingFromAnotherThreadWhileBatchesFlow) {
  ImageBucket bucket(40);
  const Dataset dataset = bucket.Open();
  for (int i = 0; i < 20; ++i) {
    Loader loader(dataset, SmallOptions());
    std::atomic<int> taken = 0;
    std::thread consumer([&] {
      const Error error = ErrorOf([&] {
        for (;;) {
          loader.Next();
          ++taken;
        }
      });
      EXPECT_EQ(error.code(), ErrorCode::kCancelled);
    });
    while (taken < i) std::this_thread::yield();
    loader.Close();
    consumer.join();
  }
}

// Where rows are as large as their images, taking a batch makes room for a later one, and the consumer asks the
// allocator for its memory.
TEST(LoaderStop, ClosingWhileTheConsumerIsInTheAllocator) {
  ImageBucket bucket(180);
  LoaderOptions options = SmallOptions(90);
  options.image = ImageSpec{};
  options.image.type = PixelType::kUint8;
  options.memory = 1200000;  // half of it for batches: room for one at a time
  std::promise<void> asked, closed;
  const std::shared_future<void> is_closed = closed.get_future().share();
  std::atomic<std::thread::id> consumer_id;
  options.allocator = [&](size_t bytes) {
    if (std::this_thread::get_id() == consumer_id.exchange({})) {
      asked.set_value();
      EXPECT_EQ(is_closed.wait_for(kDeadline), std::future_status::ready);
    }
    return std::shared_ptr<void>(std::aligned_alloc(64, (bytes + 63) / 64 * 64), std::free);
  };
  Loader loader(bucket.Open(), options);
  std::thread consumer([&] {
    const auto take_all = [&] {
      for (;;) {
        consumer_id = std::this_thread::get_id();
        loader.Next();
      }
    };
    const Error error = ErrorOf(take_all);
    EXPECT_EQ(error.code(), ErrorCode::kCancelled) << error.what();
  });
  EXPECT_EQ(asked.get_future().wait_for(kDeadline), std::future_status::ready);
  loader.Close();
  closed.set_value();
  consumer.join();
}

TEST(LoaderStop, MovedFromAndMovedInto) {
  ImageBucket bucket(8);
  const Dataset dataset = bucket.Open();
  Loader first(dataset, SmallOptions());
  ASSERT_TRUE(first.Next());
  Loader second(std::move(first));
  EXPECT_EQ(Copy(*second.Next()).position, 4u);
  Loader third(dataset, SmallOptions(2));
  ASSERT_TRUE(third.Next());
  third = std::move(second);
  EXPECT_FALSE(third.Next());
  EXPECT_EQ(third.epoch(), 1u);
}

#if !defined(BUCKETLINE_THREAD_SANITIZER)
TEST(LoaderStop, AfterForkItIsAnErrorAndDestroyingItDoesNotHang) {
  ImageBucket bucket(8);
  auto loader = std::make_unique<Loader>(bucket.Open(), SmallOptions());
  ASSERT_TRUE(loader->Next());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(120);  // a hang ends the child, and fails the test
    int result = 1;
    try {
      loader->Next();
    } catch (const Error& error) {
      result = error.code() == ErrorCode::kInternal ? 0 : 2;
    }
    loader->Close();
    loader.reset();
    _exit(result);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "the child hung or crashed";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(loader->Next());
}
#endif

}  // namespace
}  // namespace bucketline
