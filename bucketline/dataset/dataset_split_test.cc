#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/label_column.h"

namespace bucketline {
namespace {

using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

// Keys k000.jpg, k001.jpg, ... in two folders.
void Fill(Bucket& bucket, int first, int last) {
  for (int i = first; i < last; ++i) {
    bucket.Put((i % 4 != 0 ? "many/k" : "few/k") + std::to_string(1000 + i).substr(1) + ".jpg", "x");
  }
}

std::set<std::string> KeysOf(const Dataset& dataset) {
  std::set<std::string> keys;
  for (uint64_t i = 0; i < dataset.size(); ++i) keys.insert(dataset.Key(i));
  return keys;
}

// How many records of each class.
std::map<int64_t, uint64_t> Census(const Dataset& dataset) {
  std::map<int64_t, uint64_t> census;
  for (uint64_t i = 0; i < dataset.size(); ++i) ++census[dataset.LabelInteger(i)];
  return census;
}

Dataset OpenWithFolders(Bucket& bucket) { return bucket.Open("mem://data/", {.labels = Labels::Folder()}); }

TEST(DatasetSplit, PartsTheRecordsByTheHashOfTheirKeys) {
  Bucket bucket;
  Fill(bucket, 0, 400);
  const Dataset whole = bucket.Open();
  const auto [first, second] = whole.Split(0.8, 7);
  EXPECT_EQ(first.size() + second.size(), 400u);
  EXPECT_NEAR(static_cast<double>(first.size()), 320, 40);
  for (uint64_t i = 0; i < first.size(); ++i) {
    EXPECT_LT(static_cast<double>(StableHash64(first.Key(i), 7)) * 0x1.0p-64, 0.8);
  }
  for (uint64_t i = 0; i < second.size(); ++i) {
    EXPECT_GE(static_cast<double>(StableHash64(second.Key(i), 7)) * 0x1.0p-64, 0.8 - 1e-9);
  }
  EXPECT_NE(KeysOf(whole.Split(0.8, 8).first), KeysOf(first));
}

TEST(DatasetSplit, ANewObjectMovesNoOldOne) {
  Bucket bucket;
  Fill(bucket, 0, 200);
  const auto before = KeysOf(bucket.Open().Split(0.5).first);
  Fill(bucket, 200, 300);
  const auto after = KeysOf(bucket.Open().Split(0.5).first);
  EXPECT_GT(after.size(), before.size());
  for (const std::string& key : before) EXPECT_TRUE(after.contains(key)) << key;
}

TEST(DatasetSplit, ChecksItsFraction) {
  Bucket bucket;
  Fill(bucket, 0, 2);
  const Dataset whole = bucket.Open();
  for (const double fraction : {0.0, 1.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(ErrorOf([&] { whole.Split(fraction); }).code(), ErrorCode::kInvalidArgument) << fraction;
  }
}

TEST(DatasetSplit, SeveralPartsGoByTheSameRule) {
  Bucket bucket;
  Fill(bucket, 0, 400);
  const Dataset whole = bucket.Open();
  const std::vector<Dataset> three = whole.Split({0.6, 0.3, 0.1}, 7);
  ASSERT_EQ(three.size(), 3u);
  EXPECT_EQ(KeysOf(three[0]), KeysOf(whole.Split(0.6, 7).first));
  EXPECT_EQ(three[0].size() + three[1].size() + three[2].size(), 400u);
  EXPECT_NEAR(static_cast<double>(three[1].size()), 120, 40);
  EXPECT_NEAR(static_cast<double>(three[2].size()), 40, 25);
  EXPECT_EQ(KeysOf(whole.Split(std::vector<double>{1.0}).front()).size(), 400u);
  EXPECT_EQ(whole.Split(std::vector<double>(10, 0.1)).size(), 10u);  // tenths do not add up to 1 exactly
}

TEST(DatasetSplit, FractionsArePositiveAndAddUpToOne) {
  Bucket bucket;
  Fill(bucket, 0, 2);
  const Dataset whole = bucket.Open();
  const std::vector<std::vector<double>> wrong = {
      {}, {0.5, 0.4}, {0.7, 0.7}, {1.2, -0.2}, {1, 0}, {0.5, std::numeric_limits<double>::quiet_NaN()}};
  for (const std::vector<double>& fractions : wrong) {
    EXPECT_EQ(ErrorOf([&] { whole.Split(fractions); }).code(), ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(ErrorOf([&] { whole.Split({0.5, 0.4}); }).what(), HasSubstr("0.5 + 0.4"));
}

TEST(DatasetSplit, ByLabelEachLabelIsShared) {
  Bucket bucket;
  Fill(bucket, 0, 203);
  const Dataset whole = OpenWithFolders(bucket);
  const auto all = Census(whole);
  const std::vector<double> fractions = {0.7, 0.2, 0.1};
  const std::vector<Dataset> parts = whole.Split(fractions, 3, SplitBy::kLabel);
  uint64_t sum = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    sum += parts[i].size();
    for (const auto& [label, count] : all) {
      EXPECT_NEAR(static_cast<double>(Census(parts[i])[label]), fractions[i] * static_cast<double>(count),
                  1.0);
    }
  }
  EXPECT_EQ(sum, whole.size());
  EXPECT_NE(KeysOf(parts[0]), KeysOf(whole.Split(fractions, 4, SplitBy::kLabel)[0]));
}

TEST(DatasetSplit, ByLabelANewObjectMovesAtMostOneAcrossEachCut) {
  Bucket bucket;
  Fill(bucket, 0, 40);
  std::vector<Dataset> before = OpenWithFolders(bucket).Split({0.5, 0.3, 0.2}, 0, SplitBy::kLabel);
  for (int i = 40; i < 120; ++i) {
    Fill(bucket, i, i + 1);
    const std::vector<Dataset> after = OpenWithFolders(bucket).Split({0.5, 0.3, 0.2}, 0, SplitBy::kLabel);
    size_t moved = 0;
    for (size_t part = 0; part < 3; ++part) {
      const std::set<std::string> now = KeysOf(after[part]);
      for (const std::string& key : KeysOf(before[part])) {
        if (now.contains(key)) continue;
        ++moved;
        EXPECT_EQ(key.starts_with("few/"), i % 4 == 0) << "another label's record moved: " << key;
      }
    }
    EXPECT_LE(moved, 2u) << i;
    before = after;
  }
}

TEST(DatasetSplit, OnlyCountedLabelsCanBeSplitBy) {
  Bucket bucket;
  Fill(bucket, 0, 4);
  const Dataset whole = bucket.Open();
  const auto split = [](const Dataset& dataset) { return dataset.Split({0.5, 0.5}, 0, SplitBy::kLabel); };
  EXPECT_THAT(ErrorOf([&] { split(whole); }).what(), HasSubstr("only classes and integers"));
  EXPECT_EQ(ErrorOf([&] { split(whole.WithLabels(FloatLabels({1, 2, 3, 4}))); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(split(whole.WithLabels(IntegerLabels({-1, -1, 5, 5})))[0].size(), 2u);
}

TEST(DatasetSplit, AGroupIsNeverTorn) {
  Bucket bucket;
  for (int patient = 0; patient < 60; ++patient) {
    for (int scan = 0; scan < 5; ++scan) {
      bucket.Put("p" + std::to_string(patient) + "/" + std::to_string(scan) + ".jpg", "x");
    }
  }
  const auto patient = [](std::string_view key) { return std::string(key.substr(0, key.find('/'))); };
  const std::vector<Dataset> parts = bucket.Open().SplitGroups({0.5, 0.5}, 1, patient);
  EXPECT_NEAR(static_cast<double>(parts[0].size()), 150, 80);
  std::set<std::string> left;
  for (const std::string& key : KeysOf(parts[0])) left.insert(patient(key));
  for (const std::string& key : KeysOf(parts[1])) EXPECT_FALSE(left.contains(patient(key))) << key;
  for (const std::string& key : KeysOf(parts[0])) {
    EXPECT_LT(static_cast<double>(StableHash64(patient(key), 1)) * 0x1.0p-64, 0.5);
  }
}

}  // namespace
}  // namespace bucketline
