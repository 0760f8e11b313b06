#include "bucketline/sampler/shard_table.h"

#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kAlone = ShardTable::kAlone;

ShardTable Make(const std::vector<uint64_t>& shard_of) {
  return ShardTable(shard_of.size(), [&](uint64_t record) { return shard_of[record]; });
}

// The records of each shard.
std::vector<std::vector<uint64_t>> Shards(const ShardTable& table) {
  std::vector<std::vector<uint64_t>> shards;
  for (uint64_t shard = 0; shard < table.shards(); ++shard) {
    shards.emplace_back();
    for (uint64_t place = table.BeginOf(shard); place < table.EndOf(shard); ++place)
      shards.back().push_back(table.RecordAt(place));
  }
  return shards;
}

using Expected = std::vector<std::vector<uint64_t>>;

TEST(ShardTable, RecordsThatFollowOneAnotherNeedNoTable) {
  const ShardTable table = Make({2, 2, 2, 0, 5, 5});
  EXPECT_EQ(Shards(table), (Expected{{0, 1, 2}, {3}, {4, 5}}));
  EXPECT_EQ(table.records(), 6u);
  EXPECT_EQ(table.bytes(), 12u);
}

TEST(ShardTable, RecordsOfAShardMayStandAnywhere) {
  const ShardTable table = Make({1, 0, 1, 0, 0, 3});
  EXPECT_EQ(Shards(table), (Expected{{0, 2}, {1, 3, 4}, {5}}));
  EXPECT_EQ(table.bytes(), 36u);
}

TEST(ShardTable, RecordsThatAreObjectsOfTheirOwnMakeBlocks) {
  const ShardTable table(150, [](uint64_t) { return kAlone; });
  ASSERT_EQ(table.shards(), 3u);
  EXPECT_EQ(table.EndOf(0), 64u);
  EXPECT_EQ(table.EndOf(1), 128u);
  EXPECT_EQ(table.EndOf(2), 150u);
  EXPECT_EQ(table.RecordAt(149), 149u);
}

TEST(ShardTable, BlocksAndShardsStandInOneTable) {
  std::vector<uint64_t> shard_of = {0, 0};
  shard_of.insert(shard_of.end(), 65, kAlone);
  shard_of.insert(shard_of.end(), {1, 0});
  const Expected shards = Shards(Make(shard_of));
  ASSERT_EQ(shards.size(), 4u);
  EXPECT_EQ(shards[0], (std::vector<uint64_t>{0, 1, 68}));
  EXPECT_EQ(shards[1].size(), 64u);
  EXPECT_EQ(shards[2], std::vector<uint64_t>{66});
  EXPECT_EQ(shards[3], std::vector<uint64_t>{67});
}

TEST(ShardTable, HoldsAtMostFourBytesARecordAndFourAShard) {
  constexpr uint64_t kRecords = 100000;
  const ShardTable in_order(kRecords, [](uint64_t record) { return record / 100; });
  EXPECT_LE(in_order.bytes(), 4 * in_order.shards());
  const ShardTable mixed(kRecords, [](uint64_t record) { return record % 1000; });
  EXPECT_LE(mixed.bytes(), 4 * kRecords + 4 * mixed.shards());
}

TEST(ShardTable, ChecksItsArguments) {
  const auto refusal = [](uint64_t n, uint64_t shard) {
    try {
      ShardTable(n, [&](uint64_t) { return shard; });
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(refusal(0, 0), HasSubstr("1 to 4294967295 records, and there are 0"));
  EXPECT_THAT(refusal(uint64_t{1} << 32, 0), HasSubstr("there are 4294967296"));
  EXPECT_THAT(refusal(5, 5), HasSubstr("none of number 5"));
}

}  // namespace
}  // namespace bucketline
