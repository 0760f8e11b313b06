// Packs in shares: what each process makes, and that all of it together is the pack of one.
#include "bucketline/pack/pack_share.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/pack/pack_testing.h"

namespace bucketline {
namespace {

using testing::ContentOf;
using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::PackBuckets;

std::vector<uint64_t> Of(std::string_view text) {
  const PackShare share = PackShare::Parse(text);
  std::vector<uint64_t> shards;
  for (uint64_t shard = 0; shard < 10; ++shard) {
    if (share.Contains(shard)) shards.push_back(shard);
  }
  return shards;
}

TEST(PackShare, IsEachSoManyethOrNumbers) {
  EXPECT_THAT(Of("0/4"), ElementsAre(0, 4, 8));
  EXPECT_THAT(Of("3/4"), ElementsAre(3, 7));
  EXPECT_THAT(Of("0/1"), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(Of("7"), ElementsAre(7));
  EXPECT_THAT(Of("8,0-2,2-3"), ElementsAre(0, 1, 2, 3, 8));
}

TEST(PackShare, OtherTextsAreRefused) {
  for (const char* text :
       {"", "4/4", "1/0", "-1/4", "1/4/2", "a", "1-", "3-1", "1,,2", "1,", " 1", "1/x", "0x1"}) {
    const Error error = ErrorOf([&] { PackShare::Parse(text); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_THAT(error.message(), HasSubstr("0/16 to 15/16")) << text;
  }
}

TEST_F(PackBuckets, SharesAreTogetherThePackOfOne) {
  for (const char* format : {"tar", "mds"}) {
    const Dataset raw = OpenRaw(Labels::Folder());
    PackOptions options;
    options.format = format;
    const PackReport whole = PackAll(raw, options, fmt::format("mem://out/{}/", format));
    const auto expected = Objects(fmt::format("{}/", format));
    const std::string place = fmt::format("mem://out/{}-shares/", format);
    ASSERT_GT(whole.shards, 3u);
    uint64_t records = 0;
    for (const char* share : {"2/3", "0/3", "1/3"}) {
      options.only = PackShare::Parse(share);
      const PackReport part = PackAll(raw, options, place);
      EXPECT_EQ(part.index, "");
      EXPECT_EQ(part.kept_shards, 0u);
      records += part.records;
      EXPECT_FALSE(Objects(fmt::format("{}-shares/", format)).contains("index.manifest")) << share;
    }
    EXPECT_EQ(records, 40u);
    options.only.reset();
    const PackReport last = PackAll(raw, options, place);
    EXPECT_EQ(last.kept_shards, whole.shards);
    EXPECT_EQ(last.bytes_read, 0u);
    EXPECT_NE(last.index, "");
    const auto made = Objects(fmt::format("{}-shares/", format));
    ASSERT_EQ(Shards(made), Shards(expected));
    for (const std::string& name : Shards(made)) EXPECT_EQ(made.at(name), expected.at(name)) << name;
    EXPECT_EQ(made.at("pack.json"), expected.at("pack.json"));
    EXPECT_EQ(ContentOf(bucket_.Open(last.index)), ContentOf(raw));
    EXPECT_EQ(made.contains("index.json"), format == std::string("mds"));
  }
}

TEST_F(PackBuckets, SharesMayBePackedAtTheSameTime) {
  const Dataset raw = OpenRaw();
  PackAll(raw, {}, "mem://out/one/");
  std::vector<Result<PackReport>> reports(4, Error(ErrorCode::kInternal, "not run"));
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < reports.size(); ++i) {
      threads.emplace_back([&, i] {
        PackOptions options;
        options.only = PackShare::Parse(fmt::format("{}/{}", i, reports.size()));
        reports[i] = Catch([&] { return PackAll(raw, options); });
      });
    }
  }
  for (const auto& report : reports) EXPECT_TRUE(report.ok()) << report.error().what();
  const PackReport last = PackAll(raw);
  EXPECT_EQ(last.bytes_written, 0u);
  const auto made = Objects();
  for (const auto& [name, bytes] : Objects("one/")) {
    if (name.ends_with(".manifest")) continue;  // they hold places and ETags
    EXPECT_EQ(made.at(name), bytes) << name;
  }
}

TEST_F(PackBuckets, AListNamesShardsThatAreThere) {
  const Dataset raw = OpenRaw();
  const uint64_t shards = CountPackShards(raw, {.shard_size = 20'000});
  EXPECT_EQ(shards, PackAll(raw, {}, "mem://out/one/").shards);
  PackOptions options;
  options.only = PackShare::Parse(fmt::format("0,{}", shards));
  const Error error = ErrorOf([&] { PackAll(raw, options); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message(), HasSubstr(fmt::format("there is no shard {0}: the pack has {0}", shards)));
  EXPECT_TRUE(Objects().empty()) << "nothing was written";
  options.only = PackShare::Parse("1");
  EXPECT_EQ(PackAll(raw, options).shards, 1u);
  EXPECT_EQ(Shards(Objects()), std::vector<std::string>{"shard-000001.tar"});
  options.only = PackShare::Parse("999/1000");
  EXPECT_EQ(PackAll(raw, options).shards, 0u);
}

}  // namespace
}  // namespace bucketline
