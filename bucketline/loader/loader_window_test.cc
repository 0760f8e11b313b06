// Shuffles that have a few shards open at a time, and epochs that are a part of the records.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/shards_of.h"
#include "bucketline/loader/loader_testing.h"
#include "bucketline/records/shard_testing.h"
#include "bucketline/sampler/window_order.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

constexpr uint64_t kShards = 7;
constexpr uint64_t kInShard = 6;
constexpr uint64_t kRecords = kShards * kInShard;

class LoaderWindow : public ::testing::Test {
 protected:
  LoaderWindow() {
    for (uint64_t shard = 0; shard < kShards; ++shard) {
      std::vector<std::pair<std::string, std::string>> members;
      for (uint64_t i = 0; i < kInShard; ++i) {
        const std::vector<uint8_t> jpeg = EncodeJpeg(MakePicture(kWidth, kHeight, 3, shard * kInShard + i));
        members.emplace_back(std::to_string(i) + ".jpg", std::string(jpeg.begin(), jpeg.end()));
      }
      bucket_.Put("t/" + std::to_string(shard) + ".tar", records_testing::Tar(members));
    }
  }

  Dataset Open() { return bucket_.Open("mem://data/t/"); }

  static LoaderOptions Window(uint64_t window) {
    LoaderOptions options = SmallOptions(4);
    options.shuffle = true;
    options.window = window;
    options.seed = 5;
    options.last = LastPolicy::kPartial;
    return options;
  }

  std::string Refusal(const LoaderOptions& options) {
    return ErrorOf([&] { Loader loader(Open(), options); }).what();
  }

  Bucket bucket_;
};

std::vector<uint64_t> RecordsOf(const std::vector<Given>& batches) {
  std::vector<uint64_t> records;
  for (const Given& batch : batches)
    records.insert(records.end(), batch.indices.begin(), batch.indices.end());
  return records;
}

TEST_F(LoaderWindow, EpochsAreThoseOfTheWindowOrder) {
  const Dataset dataset = Open();
  Loader loader(dataset, Window(3));
  const WindowOrder order(ShardsOf(dataset), 3, 5);
  for (uint64_t epoch = 0; epoch < 3; ++epoch) {
    const std::vector<Given> batches = RestOfEpoch(loader);
    std::vector<uint64_t> expected;
    for (uint64_t i = 0; i < kRecords; ++i) expected.push_back(order.At(epoch, i));
    EXPECT_EQ(RecordsOf(batches), expected);
    for (const Given& batch : batches) {
      for (size_t row = 0; row < batch.indices.size(); ++row) {
        EXPECT_EQ(RowOf(batch, row), ExpectedRow(dataset, batch.indices[row], SmallSpec(),
                                                 CounterRng(5, epoch, batch.position + row)));
      }
    }
  }
}

TEST_F(LoaderWindow, AStateGoesOnAtAnyNumberOfRanks) {
  const Dataset dataset = Open();
  Loader one(dataset, Window(2));
  const std::vector<Given> expected = Epochs(one, 2);
  const LoaderState state = LoaderState::FromJson(expected[3].state.ToJson());
  EXPECT_EQ(state.window, 2u);
  std::vector<uint64_t> rest;
  std::vector<std::vector<Given>> ranks;
  for (uint64_t rank = 0; rank < 3; ++rank) {
    LoaderOptions options = Window(2);
    options.batch_size = 2;
    options.rank = rank;
    options.world_size = 3;
    Loader loader(dataset, options);
    loader.Restore(state);
    ranks.push_back(Epochs(loader, 2));
  }
  for (size_t step = 0; step < ranks[0].size(); ++step) {
    for (const std::vector<Given>& rank : ranks) {
      for (size_t row = 0; row < rank[step].indices.size(); ++row) {
        if (rank[step].valid[row] != 0) rest.push_back(rank[step].indices[row]);
      }
    }
  }
  const std::vector<uint64_t> all = RecordsOf(expected);
  EXPECT_EQ(rest, std::vector<uint64_t>(all.begin() + 16, all.end()));
}

TEST_F(LoaderWindow, AStateOfAnotherOrderIsRefused) {
  Loader narrow(Open(), Window(2));
  Loader wide(Open(), Window(3));
  Loader whole(Open(), Window(0));
  EXPECT_THAT(ErrorOf([&] { narrow.Restore(wide.State()); }).what(),
              HasSubstr("its window is 3, the loader's 2"));
  EXPECT_THAT(ErrorOf([&] { whole.Restore(wide.State()); }).what(),
              HasSubstr("its window is 3, the loader's 0"));
  EXPECT_THAT(ErrorOf([&] { wide.Restore(whole.State()); }).what(),
              HasSubstr("its window is 0, the loader's 3"));
}

TEST_F(LoaderWindow, IsChecked) {
  LoaderOptions options = Window(2);
  options.shuffle = false;
  EXPECT_THAT(Refusal(options), HasSubstr("window is a way to shuffle"));
  options = Window(uint64_t{1} << 32);
  EXPECT_THAT(Refusal(options), HasSubstr("window must be at most 4294967295"));
  for (const Sampling sampling : {Sampling::kBalanced, Sampling::kReplacement, Sampling::kMix}) {
    options = Window(2);
    options.sampling = sampling;
    if (sampling == Sampling::kMix) options.mix = {{.records = kRecords}};
    EXPECT_THAT(Refusal(options), HasSubstr("sampling " + std::string(Name(sampling)) + " draws from all"));
  }
}

TEST_F(LoaderWindow, EachEpochIsAnotherPartOfTheRecords) {
  for (const uint64_t window : {0, 2}) {
    LoaderOptions options = Window(window);
    options.epoch_size = 13;  // three epochs of 42 records, and 3 are left out
    Loader loader(Open(), options);
    EXPECT_EQ(loader.steps(), 4u);
    std::set<std::set<uint64_t>> parts;
    for (int pass = 0; pass < 4; ++pass) {
      std::set<uint64_t> seen;
      for (int epoch = 0; epoch < 3; ++epoch) {
        const std::vector<uint64_t> records = RecordsOf(RestOfEpoch(loader));
        EXPECT_EQ(records.size(), 13u);
        parts.emplace(records.begin(), records.end());
        seen.insert(records.begin(), records.end());
      }
      EXPECT_EQ(seen.size(), 39u) << "none comes again before the others have come";
    }
    EXPECT_EQ(parts.size(), 12u);
  }
}

TEST_F(LoaderWindow, APartOfTheRecordsGoesOnWhereItStood) {
  LoaderOptions options = Window(2);
  options.epoch_size = 20;
  Loader whole(Open(), options);
  const std::vector<Given> expected = Epochs(whole, 3);
  Loader resumed(Open(), options);
  const LoaderState state = LoaderState::FromJson(expected[6].state.ToJson());
  EXPECT_EQ(state.epoch_size, 20u);
  resumed.Restore(state);
  EXPECT_EQ(Epochs(resumed, 2), std::vector<Given>(expected.begin() + 7, expected.end()));
  options.epoch_size = 21;
  Loader other(Open(), options);
  EXPECT_THAT(ErrorOf([&] { other.Restore(state); }).what(), HasSubstr("epoch_size is 20, the loader's 21"));
}

TEST_F(LoaderWindow, AnEpochSizeIsChecked) {
  LoaderOptions options = Window(0);
  options.epoch_size = kRecords + 1;
  EXPECT_THAT(Refusal(options), HasSubstr("epoch_size 43 is more than the 42 records"));
  options.epoch_size = kRecords;
  EXPECT_NO_THROW(Loader(Open(), options));
  options.shuffle = false;
  EXPECT_THAT(Refusal(options), HasSubstr("epoch_size is for random orders"));
  options.shuffle = true;
  options.epoch_size = 3;
  options.last = LastPolicy::kDrop;
  EXPECT_THAT(Refusal(options), HasSubstr("3 positions do not fill one step"));
}

}  // namespace
}  // namespace bucketline
