#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/hash.h"
#include "bucketline/dataset/dataset_testing.h"

namespace bucketline {
namespace {

using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

// Keys k000.jpg, k001.jpg, ... in two folders, k<i> with i + 1 bytes.
void Fill(Bucket& bucket, int first, int last) {
  for (int i = first; i < last; ++i) {
    const std::string digits = std::to_string(1000 + i).substr(1);
    bucket.Put((i % 2 == 0 ? "even/k" : "odd/k") + digits + ".jpg",
               std::string(static_cast<size_t>(i) + 1, 'x'));
  }
}

std::set<std::string> KeysOf(const Dataset& dataset) {
  std::set<std::string> keys;
  for (uint64_t i = 0; i < dataset.size(); ++i) keys.insert(dataset.Key(i));
  return keys;
}

TEST(DatasetViews, SplitPartsTheRecordsByTheHashOfTheirKeys) {
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

TEST(DatasetViews, ANewObjectMovesNoOldOne) {
  Bucket bucket;
  Fill(bucket, 0, 200);
  const auto before = KeysOf(bucket.Open().Split(0.5).first);
  Fill(bucket, 200, 300);
  const auto after = KeysOf(bucket.Open().Split(0.5).first);
  EXPECT_GT(after.size(), before.size());
  for (const std::string& key : before) EXPECT_TRUE(after.contains(key)) << key;
}

TEST(DatasetViews, SplitChecksItsFraction) {
  Bucket bucket;
  Fill(bucket, 0, 2);
  const Dataset whole = bucket.Open();
  for (const double fraction : {0.0, 1.0, -0.5, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(ErrorOf([&] { whole.Split(fraction); }).code(), ErrorCode::kInvalidArgument) << fraction;
  }
}

TEST(DatasetViews, FilterKeepsOrderAndNumbers) {
  Bucket bucket;
  Fill(bucket, 0, 20);
  const Dataset whole = bucket.Open("mem://data/", {.labels = Labels::Folder()});
  const Dataset odd = whole.Filter([](std::string_view key) { return key.starts_with("odd/"); });
  ASSERT_EQ(odd.size(), 10u);
  EXPECT_EQ(odd.Key(0), "odd/k001.jpg");
  EXPECT_EQ(odd.manifest_index(0), 10u);
  EXPECT_EQ(odd.LabelInteger(3), 1);
  EXPECT_EQ(odd.Read(2).data.size(), 6u);
  EXPECT_EQ(odd.total_bytes(), 2u + 4 + 6 + 8 + 10 + 12 + 14 + 16 + 18 + 20);
  EXPECT_EQ(odd.largest_record(), 20u);
  EXPECT_EQ(odd.largest_record_uri(), "mem://data/odd/k019.jpg");
}

TEST(DatasetViews, SlicesNest) {
  Bucket bucket;
  Fill(bucket, 0, 20);
  const Dataset whole = bucket.Open();
  const Dataset slice = whole.Slice(5, 10).Slice(2, 3);
  ASSERT_EQ(slice.size(), 3u);
  EXPECT_EQ(slice.Key(0), whole.Key(7));
  EXPECT_EQ(slice.largest_record(), whole.RecordBytes(9));
  const Dataset of_filter =
      whole.Filter([](std::string_view key) { return key.starts_with("odd/"); }).Slice(4, 2);
  EXPECT_EQ(of_filter.Key(1), whole.Key(15));
  const Dataset filter_of =
      whole.Slice(15, 5).Filter([](std::string_view key) { return key != "odd/k015.jpg"; });
  EXPECT_EQ(filter_of.manifest_index(2), 18u);
}

TEST(DatasetViews, ASliceMustLieWithin) {
  Bucket bucket;
  Fill(bucket, 0, 4);
  const Dataset whole = bucket.Open();
  EXPECT_EQ(whole.Slice(4, 0).size(), 0u);
  EXPECT_THAT(ErrorOf([&] { whole.Slice(3, 2); }).what(), HasSubstr("2 records from 3"));
  EXPECT_EQ(ErrorOf([&] { whole.Slice(5, 0); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorOf([&] { whole.Slice(1, ~uint64_t{0}); }).code(), ErrorCode::kInvalidArgument);
}

TEST(DatasetViews, AnEmptyViewHasNothing) {
  Bucket bucket;
  Fill(bucket, 0, 4);
  const Dataset none = bucket.Open().Filter([](std::string_view) { return false; });
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(none.total_bytes(), 0u);
  EXPECT_EQ(none.largest_record(), 0u);
  EXPECT_EQ(none.largest_record_uri(), "");
}

TEST(DatasetViews, TheFingerprintTellsViewsApart) {
  Bucket bucket;
  Fill(bucket, 0, 20);
  const Dataset whole = bucket.Open();
  const auto odd = [](std::string_view key) { return key.starts_with("odd/"); };
  std::set<uint64_t> prints = {whole.fingerprint(),
                               whole.Slice(0, 10).fingerprint(),
                               whole.Slice(1, 10).fingerprint(),
                               whole.Filter(odd).fingerprint(),
                               whole.Filter(odd).Slice(0, 5).fingerprint(),
                               whole.Filter(odd).Slice(1, 5).fingerprint(),
                               whole.Split(0.5).first.fingerprint(),
                               whole.Split(0.5).second.fingerprint()};
  EXPECT_EQ(prints.size(), 8u);
  EXPECT_EQ(whole.Slice(0, 20).fingerprint(), whole.fingerprint());
  EXPECT_EQ(whole.Filter(odd).fingerprint(), bucket.Open().Filter(odd).fingerprint());
  bucket.Put("even/k000.jpg", "changed");
  EXPECT_NE(bucket.Open().fingerprint(), whole.fingerprint());
}

}  // namespace
}  // namespace bucketline
