// How far a Loader reads ahead: over the end of an epoch, and not beyond what will be asked for.
#include <chrono>
#include <future>

#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"
#include "bucketline/store/fault_store.h"
#include "bucketline/store/recording_store.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

// Announces the 20th and the 21st Get of a store, which begin the third epoch of ten records.
class CountedGets {
 public:
  std::shared_ptr<ObjectStore> Around(std::shared_ptr<ObjectStore> store) {
    return std::make_shared<FaultStore>(std::move(store), [this](const StoreCall& call, uint64_t) {
      if (call.op == StoreOp::kGet && ++gets_ == 20) two_epochs_.set_value();
      if (call.op == StoreOp::kGet && gets_ == 21) third_.set_value();
      return Fault::None();
    });
  }
  std::future<void> TwoEpochs() { return two_epochs_.get_future(); }
  std::future<void> Third() { return third_.get_future(); }

 private:
  int gets_ = 0;  // the script is called one call at a time
  std::promise<void> two_epochs_;
  std::promise<void> third_;
};

TEST(LoaderReadAhead, OneEpochIsReadAheadAndNoMore) {
  ImageBucket bucket(10);
  CountedGets gets;
  Loader loader(bucket.OpenThrough(gets.Around(bucket.store())), SmallOptions(5));
  ASSERT_TRUE(loader.Next());
  ASSERT_EQ(gets.TwoEpochs().wait_for(std::chrono::seconds(120)), std::future_status::ready);
  std::future<void> third = gets.Third();
  EXPECT_EQ(third.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  while (loader.Next()) continue;
  ASSERT_TRUE(loader.Next()) << "of the second epoch";
  EXPECT_EQ(third.wait_for(std::chrono::seconds(120)), std::future_status::ready);
}

TEST(LoaderReadAhead, EpochsThatWillBeAskedForAreReadAheadAsFarAsTheMemoryGoes) {
  ImageBucket bucket(10);
  CountedGets gets;
  LoaderOptions options = SmallOptions(5);
  options.epochs = 3;
  Loader loader(bucket.OpenThrough(gets.Around(bucket.store())), options);
  ASSERT_TRUE(loader.Next());
  EXPECT_EQ(gets.Third().wait_for(std::chrono::seconds(120)), std::future_status::ready);
}

TEST(LoaderReadAhead, TheNextEpochIsFetchedWhileThisOneEnds) {
  ImageBucket bucket(8);
  auto recording = std::make_shared<RecordingStore>(bucket.store());
  LoaderOptions options = SmallOptions();
  Loader loader(bucket.OpenThrough(recording), options);
  recording->Forget();
  ASSERT_TRUE(loader.Next());
  // One batch was taken of the first epoch's two. Reads of the second one come without another Next.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (recording->CountOf(StoreOp::kGet) < 12 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_GE(recording->CountOf(StoreOp::kGet), 12u);
  EXPECT_EQ(loader.epoch(), 0u);
}

TEST(LoaderReadAhead, NothingIsReadBeyondTheEpochsAskedFor) {
  ImageBucket bucket(10);
  auto recording = std::make_shared<RecordingStore>(bucket.store());
  LoaderOptions options = SmallOptions();
  options.epochs = 2;
  Loader loader(bucket.OpenThrough(recording), options);
  recording->Forget();
  EXPECT_EQ(Epochs(loader, 2).size(), 6u);
  EXPECT_EQ(recording->CountOf(StoreOp::kGet), 20u);
  EXPECT_EQ(loader.epoch(), 2u);
  EXPECT_FALSE(loader.Next());
  EXPECT_FALSE(loader.Next());
  EXPECT_EQ(loader.epoch(), 2u);
}

}  // namespace
}  // namespace bucketline
