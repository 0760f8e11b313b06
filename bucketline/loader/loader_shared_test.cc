// Training and validation under one Runtime: whatever the one's consumer does, the other's batches come, the same as
// alone, within the common memory, and stop at any moment.
#include <atomic>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests

constexpr uint64_t kCap = uint64_t{8} << 20;

// One of each kind of run: of several fields, of sizes that come with the images, beside bytes, changed, replaced or
// partly skipped by a transform.
constexpr int kKinds = 6;

LoaderOptions OptionsOf(int kind) {
  LoaderOptions options = PairOptions(6);
  options.memory = uint64_t{16} << 20;  // together more than there is
  options.shuffle = true;
  options.max_skipped = 1;
  switch (kind) {
    case 1:
      options.fields[0].image = ImageSpec{};
      break;
    case 2:
      options.fields[1] = {.part = "mask", .decode = false};
      break;
    case 3:
      options.transform = [](TransformSample& sample) {
        for (uint8_t& level : sample.fields[1].pixels) level = static_cast<uint8_t>(level + sample.index);
        return TransformResult::Keep();
      };
      break;
    case 4:
      options.on_error = OnError::kSkip;
      options.transform = [](TransformSample& sample) {
        return sample.index % 20 == 0 ? TransformResult::Skip("every twentieth") : IndexOf(sample);
      };
      break;
    case 5:
      options.fields = {{.part = "mask", .decode = false}};
      options.on_error = OnError::kMask;
      options.transform = [](TransformSample& sample) {
        return sample.index % 20 == 0 ? TransformResult::Skip("every twentieth") : TransformResult::Keep();
      };
      break;
    default:
      break;
  }
  return options;
}

// Values are as much of a batch as its pixels.
Given CopyAll(const Batch& batch) {
  Given given = Copy(batch);
  for (uint32_t row = 0; batch.has_values() && row < batch.rows(); ++row) {
    given.pixels.push_back(static_cast<uint8_t>(Number(batch, row)));
  }
  return given;
}

class LoaderShared : public ::testing::Test {
 protected:
  LoaderShared() : bucket_(60, Quiet(kCap)), dataset_(bucket_.Join(Uneven(bucket_.store(), 2000))) {
    PairBucket alone(60);
    const Dataset same = alone.Join();
    for (int kind = 0; kind < kKinds; ++kind) {
      Loader loader(same, OptionsOf(kind));
      std::vector<Given>& epoch = expected_.emplace_back();
      while (const std::optional<Batch> batch = loader.Next()) epoch.push_back(CopyAll(*batch));
    }
  }

  ~LoaderShared() override {
    EXPECT_LE(bucket_.runtime().memory()->peak(), kCap);
    EXPECT_EQ(bucket_.runtime().memory()->used(), 0u);
  }

  // Takes so many batches and compares them with those of a loader that had everything for itself.
  void Take(Loader& loader, int kind, uint64_t batches) {
    const std::vector<Given>& epoch = expected_[static_cast<size_t>(kind)];
    for (uint64_t i = 0; i < batches; ++i) {
      const std::optional<Batch> batch = loader.Next();
      if (i % (epoch.size() + 1) == epoch.size()) {
        EXPECT_FALSE(batch);
      } else if (i < epoch.size()) {
        ASSERT_TRUE(batch);
        EXPECT_TRUE(CopyAll(*batch) == epoch[i]) << "batch " << i << " of kind " << kind;
      }
    }
  }

  PairBucket bucket_;
  const Dataset dataset_;
  std::vector<std::vector<Given>> expected_;
};

TEST_F(LoaderShared, AConsumerThatStandsStillKeepsNobodyWaiting) {
  for (int kind = 0; kind < kKinds; ++kind) {
    const int other = (kind + 1) % kKinds;
    Loader standing(dataset_, OptionsOf(kind));
    Loader going(dataset_, OptionsOf(other));
    Take(standing, kind, 1);  // from here on it fills what it may hold
    Take(going, other, 22);   // two epochs
    EXPECT_LE(standing.Stats().budget_capacity + going.Stats().budget_capacity, kCap);
    EXPECT_LE(going.Stats().budget_peak, going.Stats().budget_capacity);
  }
}

TEST_F(LoaderShared, BothGoAtTheirOwnPace) {
  for (int kind = 0; kind < kKinds; ++kind) {
    const int other = (kind + 2) % kKinds;
    Loader slow(dataset_, OptionsOf(kind));
    Loader fast(dataset_, OptionsOf(other));
    const LoaderState start = fast.State();
    std::atomic<int> taken = 0;
    std::thread fast_consumer([&] {
      for (int i = 0; i < 4; ++i) {
        fast.Restore(start);
        Take(fast, other, 10);
        ++taken;
      }
    });
    Take(slow, kind, 10);
    fast_consumer.join();
    EXPECT_EQ(taken, 4);
  }
}

TEST_F(LoaderShared, EachStopsAtAnyMomentWithoutHarmToTheOther) {
  CounterRng rng(4, 5, 6);
  for (int i = 0, stops = RandomStops(); i < stops; ++i) {
    const int kind = static_cast<int>(rng.NextBelow(kKinds));
    const int other = static_cast<int>(rng.NextBelow(kKinds));
    const uint64_t batches = rng.NextBelow(11);
    LoaderOptions options = OptionsOf(kind);
    options.threads = 1 + rng.NextBelow(4);
    options.max_requests = 1 + rng.NextBelow(16);
    auto stopped = std::make_unique<Loader>(dataset_, options);
    Loader going(dataset_, OptionsOf(other));
    std::atomic<uint64_t> taken = 0;
    std::thread consumer([&] {
      try {
        for (;; ++taken) stopped->Next();
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kCancelled) << error.what();
      }
    });
    Take(going, other, batches);
    stopped->Close();
    consumer.join();
    stopped.reset();
  }
}

}  // namespace
}  // namespace bucketline
