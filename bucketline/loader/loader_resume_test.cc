#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

LoaderOptions Shuffled(uint32_t batch_size, uint64_t rank = 0, uint64_t world = 1) {
  LoaderOptions options = SmallOptions(batch_size);
  options.shuffle = true;
  options.seed = 5;
  options.rank = rank;
  options.world_size = world;
  options.last = LastPolicy::kPartial;
  return options;
}

TEST(LoaderResume, EveryBatchIsAPlaceToGoOnFrom) {
  ImageBucket bucket(18);
  const Dataset dataset = bucket.Open();
  Loader whole(dataset, Shuffled(4));
  std::vector<Given> expected = Epochs(whole, 2);
  Loader resumed(dataset, Shuffled(4));
  for (size_t i = 0; i < expected.size(); ++i) {
    resumed.Restore(LoaderState::FromJson(expected[i].state.ToJson()));
    EXPECT_EQ(resumed.State(), expected[i].state);
    EXPECT_EQ(resumed.epoch(), expected[i].epoch);
    std::vector<Given> rest = RestOfEpoch(resumed);
    if (expected[i].epoch == 0) {
      for (Given& batch : RestOfEpoch(resumed)) rest.push_back(std::move(batch));
    }
    EXPECT_EQ(rest, std::vector<Given>(expected.begin() + static_cast<ptrdiff_t>(i) + 1, expected.end()))
        << i;
  }
}

TEST(LoaderResume, TheStateIsThatOfTheLastDeliveredBatch) {
  ImageBucket bucket(8);
  Loader loader(bucket.Open(), Shuffled(4));
  EXPECT_EQ(loader.State().position, 0u);
  const std::optional<Batch> first = loader.Next();
  EXPECT_EQ(loader.State(), first->State());
  EXPECT_EQ(first->State().position, 4u);
  loader.Next();
  EXPECT_EQ(loader.State().position, 8u);
  EXPECT_FALSE(loader.Next());
  EXPECT_EQ(loader.State().epoch, 1u);
  EXPECT_EQ(loader.State().position, 0u);
}

TEST(LoaderResume, OtherRanksAndBatchSizesSeeEachSampleOnce) {
  ImageBucket bucket(50);
  const Dataset dataset = bucket.Open();
  for (const uint64_t stop_after : {0, 1, 3}) {
    std::map<uint64_t, int> seen;
    LoaderState state;
    // Two ranks with batches of 3 for some steps, then five ranks with batches of 4.
    for (const uint64_t rank : {0, 1}) {
      Loader loader(dataset, Shuffled(3, rank, 2));
      for (uint64_t step = 0; step < stop_after; ++step) {
        const std::optional<Batch> batch = loader.Next();
        for (uint32_t row = 0; row < batch->rows(); ++row) seen[batch->indices()[row]] += batch->valid()[row];
      }
      state = loader.State();
    }
    std::set<uint64_t> steps;
    for (const uint64_t rank : {0, 1, 2, 3, 4}) {
      Loader loader(dataset, Shuffled(4, rank, 5));
      loader.Restore(state);
      steps.insert(loader.remaining());
      for (const Given& batch : RestOfEpoch(loader)) {
        for (size_t row = 0; row < batch.indices.size(); ++row) seen[batch.indices[row]] += batch.valid[row];
      }
    }
    EXPECT_EQ(steps.size(), 1u);
    EXPECT_EQ(seen.size(), 50u);
    for (const auto& [record, count] : seen) EXPECT_EQ(count, 1) << record;
  }
}

TEST(LoaderResume, RestoringInTheMiddleDropsWhatWasPrefetched) {
  ImageBucket bucket(20);
  const Dataset dataset = bucket.Open();
  Loader whole(dataset, Shuffled(4));
  const std::vector<Given> expected = RestOfEpoch(whole);
  Loader loader(dataset, Shuffled(4));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(loader.Next());
    loader.Restore(expected[0].state);
    EXPECT_EQ(Copy(*loader.Next()), expected[1]);
  }
  EXPECT_LE(loader.Stats().budget_peak, loader.Stats().budget_capacity);
}

TEST(LoaderResume, AStateOfAnotherRunIsRefusedSayingWhy) {
  ImageBucket bucket(8);
  const Dataset dataset = bucket.Open();
  Loader loader(dataset, Shuffled(4));
  const LoaderState good = loader.State();
  const auto refused = [&](auto change) {
    LoaderState state = good;
    change(state);
    const Error error = ErrorOf([&] { loader.Restore(state); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(refused([](LoaderState& s) { ++s.fingerprint; }), HasSubstr("fingerprint"));
  EXPECT_THAT(refused([](LoaderState& s) { s.seed = 6; }), HasSubstr("seed is 6, the loader's 5"));
  EXPECT_THAT(refused([](LoaderState& s) { s.shuffle = false; }), HasSubstr("shuffle is false"));
  EXPECT_THAT(refused([](LoaderState& s) { s.position = 9; }), HasSubstr("position 9 of 8"));
  EXPECT_THAT(refused([](LoaderState& s) { s.sampling = Sampling::kReplacement; }),
              HasSubstr("sampling is replacement, the loader's all"));
  loader.Restore(good);
  EXPECT_TRUE(loader.Next());
}

TEST(LoaderResume, ARunCanStartInALaterEpoch) {
  ImageBucket bucket(8);
  const Dataset dataset = bucket.Open();
  Loader whole(dataset, Shuffled(4));
  const std::vector<Given> expected = Epochs(whole, 3);
  Loader loader(dataset, Shuffled(4));
  LoaderState state = loader.State();
  state.epoch = 2;
  loader.Restore(state);
  EXPECT_EQ(RestOfEpoch(loader), std::vector<Given>(expected.begin() + 4, expected.end()));
}

}  // namespace
}  // namespace bucketline
