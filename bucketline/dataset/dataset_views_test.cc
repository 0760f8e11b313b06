#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(DatasetViews, SelectTakesRecordsInOrder) {
  Bucket bucket;
  Fill(bucket, 0, 20);
  const Dataset odd = bucket.Open().Filter([](std::string_view key) { return key.starts_with("odd/"); });
  const Dataset some = odd.Select({1, 4, 9});
  ASSERT_EQ(some.size(), 3u);
  EXPECT_EQ(some.Key(1), odd.Key(4));
  EXPECT_EQ(some.manifest_index(2), 19u);
  EXPECT_EQ(odd.Select({}).size(), 0u);
}

TEST(DatasetViews, SelectionsAscendAndLieWithin) {
  Bucket bucket;
  Fill(bucket, 0, 5);
  const Dataset whole = bucket.Open();
  EXPECT_THAT(ErrorOf([&] { whole.Select({0, 5}); }).what(), HasSubstr("no record 5 in a dataset of 5"));
  EXPECT_THAT(ErrorOf([&] { whole.Select({0, 3, 1}); }).what(), HasSubstr("1 comes after 3"));
  EXPECT_EQ(ErrorOf([&] { whole.Select({2, 2}); }).code(), ErrorCode::kInvalidArgument);
}

TEST(DatasetViews, WithoutLeavesKeysOut) {
  Bucket bucket;
  Fill(bucket, 0, 5);
  const Dataset whole = bucket.Open();
  const Dataset rest = whole.Without({"odd/k001.jpg", "even/k004.jpg"});
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest.Key(2), "odd/k003.jpg");
  EXPECT_EQ(whole.Without({}).size(), 5u);
  EXPECT_THAT(ErrorOf([&] { rest.Without({"odd/k003.jpg", "odd/k001.jpg"}); }).what(),
              HasSubstr("no record with the key \"odd/k001.jpg\""));
}

}  // namespace
}  // namespace bucketline
