#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/loader/loader_testing.h"

namespace bucketline {
namespace {

using namespace testing;  // NOLINT: the helpers of these tests
using ::testing::HasSubstr;

// Of every ten records four are of class 0, four of class 1 and two of class 2.
Dataset Labelled(ImageBucket& bucket) { return bucket.Open("mem://data/", {.labels = Labels::Folder()}); }

LoaderOptions Sampled(Sampling sampling, uint64_t epoch_size) {
  LoaderOptions options = SmallOptions(6);
  options.sampling = sampling;
  options.epoch_size = epoch_size;
  options.seed = 21;
  return options;
}

TEST(LoaderSampling, BalancedBatchesHaveEachClassEquallyOften) {
  ImageBucket bucket(30);
  const Dataset dataset = Labelled(bucket);
  Loader loader(dataset, Sampled(Sampling::kBalanced, 90));
  EXPECT_EQ(loader.steps(), 15u);
  std::map<uint64_t, int> seen;
  while (const std::optional<Batch> batch = loader.Next()) {
    std::map<int64_t, int> classes;
    for (const int64_t label : batch->integer_labels()) ++classes[label];
    EXPECT_EQ(classes, (std::map<int64_t, int>{{0, 2}, {1, 2}, {2, 2}}));
    for (const uint64_t record : batch->indices()) ++seen[record];
  }
  EXPECT_EQ(seen.size(), 30u);
  for (const auto& [record, times] : seen) {
    const int64_t label = dataset.LabelInteger(record);
    EXPECT_GE(times, label == 2 ? 5 : 2) << record;  // 30 times 6 or 12 records
    EXPECT_LE(times, label == 2 ? 5 : 3) << record;
  }
}

TEST(LoaderSampling, AnEpochIsAsLongAsItIsToldAndDropsItsTail) {
  ImageBucket bucket(10);
  Loader drawn(bucket.Open(), Sampled(Sampling::kReplacement, 25));
  EXPECT_EQ(drawn.steps(), 4u);
  EXPECT_EQ(drawn.options().last, LastPolicy::kDrop);
  const std::vector<Given> batches = Epochs(drawn, 2);
  ASSERT_EQ(batches.size(), 8u);
  EXPECT_EQ(batches[3].state.position, 25u);
  std::set<uint64_t> distinct;
  for (size_t i = 0; i < 4; ++i) distinct.insert(batches[i].indices.begin(), batches[i].indices.end());
  EXPECT_LE(distinct.size(), 10u);
  EXPECT_NE(batches[0].indices, batches[4].indices);
  Loader as_long(bucket.Open(), Sampled(Sampling::kReplacement, 0));
  EXPECT_EQ(as_long.steps(), 1u);
}

TEST(LoaderSampling, EveryBatchIsAPlaceToGoOnFrom) {
  ImageBucket bucket(30);
  const Dataset dataset = Labelled(bucket);
  for (const Sampling sampling : {Sampling::kBalanced, Sampling::kReplacement, Sampling::kMix}) {
    LoaderOptions options = Sampled(sampling, 50);
    if (sampling == Sampling::kMix)
      options.mix = {{.records = 12, .weight = 5}, {.records = 18, .weight = 2}};
    Loader whole(dataset, options);
    const std::vector<Given> expected = Epochs(whole, 2);
    Loader resumed(dataset, options);
    for (size_t i = 0; i < expected.size(); i += 3) {
      resumed.Restore(LoaderState::FromJson(expected[i].state.ToJson()));
      EXPECT_EQ(resumed.State(), expected[i].state);
      std::vector<Given> rest = RestOfEpoch(resumed);
      if (expected[i].epoch == 0) {
        for (Given& batch : RestOfEpoch(resumed)) rest.push_back(std::move(batch));
      }
      EXPECT_EQ(rest, std::vector<Given>(expected.begin() + static_cast<ptrdiff_t>(i) + 1, expected.end()));
    }
  }
}

TEST(LoaderSampling, RanksTogetherHaveThePositionsOfOne) {
  ImageBucket bucket(30);
  const Dataset dataset = Labelled(bucket);
  for (const Sampling sampling : {Sampling::kBalanced, Sampling::kReplacement}) {
    LoaderOptions options = Sampled(sampling, 60);
    Loader one(dataset, options);
    std::multiset<uint64_t> expected;
    for (const Given& batch : RestOfEpoch(one)) expected.insert(batch.indices.begin(), batch.indices.end());
    std::multiset<uint64_t> dealt;
    options.world_size = 2;
    options.batch_size = 5;
    for (options.rank = 0; options.rank < 2; ++options.rank) {
      Loader rank(dataset, options);
      for (const Given& batch : RestOfEpoch(rank)) dealt.insert(batch.indices.begin(), batch.indices.end());
    }
    EXPECT_EQ(dealt, expected);
  }
}

TEST(LoaderSampling, AStateOfAnotherSamplingIsRefused) {
  ImageBucket bucket(30);
  const Dataset dataset = Labelled(bucket);
  Loader balanced(dataset, Sampled(Sampling::kBalanced, 60));
  Loader drawn(dataset, Sampled(Sampling::kReplacement, 60));
  Loader longer(dataset, Sampled(Sampling::kReplacement, 61));
  EXPECT_THAT(ErrorOf([&] { balanced.Restore(drawn.State()); }).what(),
              HasSubstr("sampling is replacement, the loader's balanced"));
  EXPECT_THAT(ErrorOf([&] { drawn.Restore(longer.State()); }).what(),
              HasSubstr("epoch_size is 61, the loader's 60"));
  LoaderState beyond = drawn.State();
  beyond.position = 61;
  EXPECT_THAT(ErrorOf([&] { drawn.Restore(beyond); }).what(), HasSubstr("position 61 of 60"));
}

TEST(LoaderSampling, MixedBatchesHaveEachPartByItsWeight) {
  ImageBucket bucket(30);
  const Dataset dataset = bucket.Open();
  LoaderOptions options = Sampled(Sampling::kMix, 60);
  options.mix = {{.records = 20, .weight = 1}, {.records = 10, .weight = 2}};
  Loader loader(dataset, options);
  std::map<uint64_t, int> seen;
  for (const Given& batch : Epochs(loader, 1)) {
    EXPECT_EQ(std::ranges::count_if(batch.indices, [](uint64_t record) { return record < 20; }), 2);
    for (const uint64_t record : batch.indices) ++seen[record];
  }
  ASSERT_EQ(seen.size(), 30u);
  for (const auto& [record, times] : seen) EXPECT_EQ(times, record < 20 ? 1 : 4) << record;
}

TEST(LoaderSampling, AStateOfAnotherMixIsRefused) {
  ImageBucket bucket(30);
  LoaderOptions options = Sampled(Sampling::kMix, 60);
  options.mix = {{.records = 20, .weight = 1}, {.records = 10, .weight = 2}};
  Loader one(bucket.Open(), options);
  std::swap(options.mix[0], options.mix[1]);
  Loader other(bucket.Open(), options);
  EXPECT_THAT(ErrorOf([&] { one.Restore(other.State()); }).what(), HasSubstr("with other weights"));
  EXPECT_NE(one.State().mix, 0u);
}

TEST(LoaderSampling, AMixIsChecked) {
  ImageBucket bucket(10);
  LoaderOptions options = Sampled(Sampling::kMix, 0);
  const auto refusal = [&] {
    return std::string(ErrorOf([&] { Loader loader(bucket.Open(), options); }).what());
  };
  EXPECT_THAT(refusal(), HasSubstr("go together"));
  options.mix = {{.records = 4}, {.records = 5}};
  EXPECT_THAT(refusal(), HasSubstr("the mix have 9 records, and the dataset has 10"));
  options.sampling = Sampling::kAll;
  EXPECT_THAT(refusal(), HasSubstr("go together"));
}

TEST(LoaderSampling, IsChecked) {
  ImageBucket bucket(10);
  const Dataset dataset = bucket.Open();
  EXPECT_THAT(ErrorOf([&] { Loader loader(dataset, Sampled(Sampling::kBalanced, 0)); }).what(),
              HasSubstr("labels that are classes"));
  EXPECT_THAT(ErrorOf([&] { Loader loader(dataset, Sampled(Sampling::kAll, 20)); }).what(),
              HasSubstr("epoch_size"));
  EXPECT_THAT(ErrorOf([&] { Loader loader(dataset, Sampled(Sampling::kReplacement, 5)); }).what(),
              HasSubstr("5 positions"));
}

TEST(LoaderSampling, WhatMayBeSkippedIsAShareOfTheEpoch) {
  ImageBucket bucket(10);
  bucket.PutCorrupt(bucket.Open().Key(0));
  LoaderOptions options = Sampled(Sampling::kReplacement, 600);
  options.on_error = OnError::kMask;
  options.max_skipped = 0.3;  // 180 of 600; 3 would be too few for one record in ten
  Loader loader(bucket.Open(), options);
  EXPECT_EQ(RestOfEpoch(loader).size(), 100u);
  EXPECT_GT(loader.Stats().masked, 20u);
}

}  // namespace
}  // namespace bucketline
