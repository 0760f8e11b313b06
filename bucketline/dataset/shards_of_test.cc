// Which records lie in one object: of shards, of raw objects, of views, of several sources.
#include "bucketline/dataset/shards_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/dataset/dataset_testing.h"
#include "bucketline/records/shard_testing.h"

namespace bucketline {
namespace {

using records_testing::Tar;
using testing::Bucket;
using testing::ErrorOf;
using ::testing::HasSubstr;

std::vector<std::vector<std::string>> KeysByShard(const Dataset& dataset) {
  const ShardTable shards = ShardsOf(dataset);
  std::vector<std::vector<std::string>> keys;
  for (uint64_t shard = 0; shard < shards.shards(); ++shard) {
    keys.emplace_back();
    for (uint64_t place = shards.BeginOf(shard); place < shards.EndOf(shard); ++place)
      keys.back().push_back(dataset.Key(shards.RecordAt(place)));
  }
  return keys;
}

using Keys = std::vector<std::vector<std::string>>;

class ShardsOfDataset : public ::testing::Test {
 protected:
  ShardsOfDataset() {
    bucket_.Put("t/0.tar", Tar({{"a.jpg", "1"}, {"b.jpg", "2"}, {"c.jpg", "3"}}));
    bucket_.Put("t/1.tar", Tar({{"a.jpg", "4"}, {"b.jpg", "5"}}));
  }
  Bucket bucket_;
};

TEST_F(ShardsOfDataset, RecordsOfATarAreOne) {
  const Dataset dataset = bucket_.Open("mem://data/t/");
  EXPECT_EQ(KeysByShard(dataset),
            (Keys{{"t/0.tar/a", "t/0.tar/b", "t/0.tar/c"}, {"t/1.tar/a", "t/1.tar/b"}}));
  EXPECT_EQ(KeysByShard(dataset.Select({0, 2, 4})), (Keys{{"t/0.tar/a", "t/0.tar/c"}, {"t/1.tar/b"}}));
}

TEST_F(ShardsOfDataset, TheSameNameInAnotherBucketIsAnother) {
  Bucket other;
  other.Put("t/0.tar", Tar({{"z.jpg", "6"}, {"y.jpg", "7"}}));
  bucket_.runtime().AddStore("other", other.store());
  const Dataset both =
      Dataset::Concat({bucket_.Open("mem://data/t/0.tar"), bucket_.Open("mem://other/t/0.tar")});
  const Keys keys = KeysByShard(both);
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].size(), 3u);
  EXPECT_EQ(keys[1].size(), 2u);
}

TEST_F(ShardsOfDataset, RawObjectsAreBlocksOfNeighbouringKeys) {
  for (int i = 1000; i < 1100; ++i) bucket_.Put("raw/" + std::to_string(i) + ".jpg", "x");
  const Keys keys = KeysByShard(bucket_.Open("mem://data/raw/"));
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].size(), 64u);
  EXPECT_EQ(keys[1].front(), "raw/1064.jpg");
}

// As `pack --shuffle` leaves it: keys in order, their bytes anywhere.
TEST_F(ShardsOfDataset, RecordsOfAShardMayStandAnywhereInTheOrder) {
  ManifestBuilder builder("mem://data/");
  for (uint64_t i = 0; i < 6; ++i) {
    builder.Add({.key = "k" + std::to_string(i),
                 .parts = {{.object_key = i % 2 == 0 ? "even" : "odd",
                            .offset = i * 10,
                            .length = 10,
                            .object_size = 100,
                            .etag = "e"}}});
  }
  const Dataset dataset = Dataset::Of(bucket_.runtime(), std::move(builder).Build());
  EXPECT_EQ(KeysByShard(dataset), (Keys{{"k0", "k2", "k4"}, {"k1", "k3", "k5"}}));
}

TEST_F(ShardsOfDataset, AnEmptyOneHasNone) {
  const Dataset none = bucket_.Open("mem://data/t/").Slice(0, 0);
  EXPECT_THAT(ErrorOf([&] { ShardsOf(none); }).what(), HasSubstr("there are 0"));
}

}  // namespace
}  // namespace bucketline
