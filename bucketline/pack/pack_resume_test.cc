// What is there already: packs that go on, packs that are others, and stores that fail half-way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/pack/pack_testing.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using testing::ContentOf;
using testing::ErrorOf;
using ::testing::HasSubstr;
using testing::PackBuckets;

TEST_F(PackBuckets, ASecondRunReadsNothing) {
  const Dataset raw = OpenRaw(Labels::Folder());
  const PackReport first = PackAll(raw);
  const auto before = Objects();
  uint64_t told = 0;
  const PackReport second = PackAll(raw, {.progress = [&](uint64_t, uint64_t bytes) { told = bytes; }});
  EXPECT_EQ(told, raw.total_bytes());
  EXPECT_EQ(second.kept_shards, first.shards);
  EXPECT_EQ(second.records, 40u);
  EXPECT_EQ(second.bytes_read, 0u);
  EXPECT_EQ(second.bytes_written, 0u);
  EXPECT_EQ(second.shard_bytes, first.shard_bytes);
  EXPECT_EQ(Objects(), before);
}

TEST_F(PackBuckets, WhatIsMissingIsMadeAgainByteForByte) {
  const Dataset raw = OpenRaw(Labels::Folder());
  const PackReport whole = PackAll(raw);
  const auto before = Objects();
  for (const char* name : {"shard-000000.tar", "shard-000001.tar.manifest", "index.manifest"}) {
    DeleteObject(*out_, std::string("p/") + name);
  }
  const PackReport again = PackAll(raw);
  EXPECT_EQ(again.kept_shards, whole.shards - 2);
  EXPECT_GT(again.bytes_read, 0u);
  const auto after = Objects();
  ASSERT_EQ(Shards(after), Shards(before));
  for (const std::string& name : Shards(before)) EXPECT_EQ(after.at(name), before.at(name)) << name;
  EXPECT_EQ(ContentOf(bucket_.Open("mem://out/p/index.manifest")), ContentOf(raw));
}

TEST_F(PackBuckets, AShardThatIsNotTheOneOfItsIndexIsMadeAgain) {
  const Dataset raw = OpenRaw();
  const PackReport whole = PackAll(raw);
  const auto before = Objects();
  PutBytes(*out_, "p/shard-000001.tar", "something else");
  PutBytes(*out_, "p/shard-000002.tar.manifest", before.at("shard-000002.tar.manifest").substr(0, 50));
  const PackReport again = PackAll(raw);
  EXPECT_EQ(again.kept_shards, whole.shards - 2);
  EXPECT_EQ(Objects().at("shard-000001.tar"), before.at("shard-000001.tar"));
  EXPECT_EQ(ContentOf(bucket_.Open("mem://out/p/index.manifest")), ContentOf(raw));
}

TEST_F(PackBuckets, AnotherPackIsAnErrorThatSaysWhatDiffers) {
  PackAll(OpenRaw(Labels::Folder()));
  const auto differs = [&](const Dataset& dataset, const PackOptions& options, const std::string& what) {
    const Error error = ErrorOf([&] { PackAll(dataset, options); });
    EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
    EXPECT_THAT(error.message(),
                AllOf(HasSubstr("another pack is here: " + what), HasSubstr("another place")));
    EXPECT_EQ(error.uri(), "mem://out/p/");
  };
  differs(OpenRaw(Labels::Folder()), {.format = "mds"}, "format is \"tar\" there, and \"mds\" here");
  differs(OpenRaw(Labels::Folder()), {.shard_size = 30'000}, "shard_size is 20000 there");
  differs(OpenRaw(Labels::Folder()), {.shuffle = 1}, "shuffle is null there, and 1 here");
  differs(OpenRaw(), {}, "labels is ");
  bucket_.Put("r/a/z.bin", "one more");
  differs(OpenRaw(Labels::Folder()), {}, "fingerprint is ");
}

TEST_F(PackBuckets, WhatIsNoPackStaysAsItIs) {
  PutBytes(*out_, "p/precious.txt", "text");
  const Error error = ErrorOf([&] { PackAll(OpenRaw()); });
  EXPECT_EQ(error.code(), ErrorCode::kAlreadyExists);
  EXPECT_THAT(error.message(), HasSubstr("precious.txt"));
  EXPECT_EQ(Objects().size(), 1u);
  PutBytes(*out_, "p/pack.json", "{}");
  EXPECT_EQ(ErrorOf([&] { PackAll(OpenRaw()); }).code(), ErrorCode::kCorruptData);
}

TEST_F(PackBuckets, AnObjectThatChangedIsAnErrorAndTheRestStays) {
  const Dataset raw = OpenRaw();
  bucket_.Put("r/c/38.bin", std::string(3800, 'x'));
  const Error error = ErrorOf([&] { PackAll(raw, {.skip_bad = true, .max_skipped = 1, .max_shards = 1}); });
  EXPECT_EQ(error.code(), ErrorCode::kObjectChanged);
  EXPECT_EQ(error.uri(), "mem://data/r/c/38.bin");
  EXPECT_FALSE(Objects().contains("index.manifest"));
  EXPECT_TRUE(Objects().contains("shard-000000.tar.manifest"));
}

TEST_F(PackBuckets, AStopIsCancelled) {
  std::stop_source stop;
  PackOptions options{.shard_size = 20'000, .max_shards = 1};
  options.progress = [&](uint64_t records, uint64_t) {
    if (records == 20) stop.request_stop();
  };
  const Error error = ErrorOf([&] { Pack(OpenRaw(), "mem://out/p/", options, stop.get_token()); });
  EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  EXPECT_FALSE(Objects().contains("index.manifest"));
  EXPECT_GT(PackAll(OpenRaw()).kept_shards, 0u);
  EXPECT_EQ(ContentOf(bucket_.Open("mem://out/p/index.manifest")), ContentOf(OpenRaw()));
}

}  // namespace
}  // namespace bucketline
