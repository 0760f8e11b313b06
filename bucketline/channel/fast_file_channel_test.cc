#include "bucketline/channel/fast_file_channel.h"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "bucketline/channel/mount_testing.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;
using testing::ErrorOf;
using ::testing::HasSubstr;

using FastFileTest = testing::MountFixture;

TEST_F(FastFileTest, AHostSeesItsShare) {
  for (int i = 0; i < 5; ++i) Put(std::to_string(i), "text");
  const ChannelSpec spec{
      .name = "train", .uri = "mem://data/p/", .mode = ChannelMode::kFastFile, .sharded = true};
  const auto channel = ServeFastFile(runtime_, spec, {.index = 1, .count = 2}, folder_);
  EXPECT_EQ(NamesIn(folder_), (std::set<std::string>{"1", "3"}));
  EXPECT_EQ(Read("3"), "text");
  EXPECT_EQ(channel->bytes_served(), 4u);
}

TEST_F(FastFileTest, WithoutAShareTheFolderIsEmpty) {
  Put("a", "x");
  const ChannelSpec spec{
      .name = "train", .uri = "mem://data/p", .mode = ChannelMode::kFastFile, .sharded = true};
  const auto channel = ServeFastFile(runtime_, spec, {.index = 1, .count = 2}, folder_);
  EXPECT_TRUE(IsMounted());
  EXPECT_EQ(NamesIn(folder_), std::set<std::string>{});
}

TEST_F(FastFileTest, LogsWhatItLeavesOut) {
  for (const char* name : {"a", "b//c"}) Put(name, "x");
  const auto channel = ServeFastFile(runtime_, {.name = "train", .uri = "mem://data/p/"}, {}, folder_);
  EXPECT_THAT(log_.lines(), ElementsAre(HasSubstr("p/b//c"), HasSubstr("channel train: 1 keys")));
}

TEST_F(FastFileTest, TellsWhenItWasUnmounted) {
  Put("a", "x");
  testing::Completion<int> failed;
  FastFileOptions options;
  options.failed = [done = failed.Done()](const Error& error) { done(error); };
  const auto channel =
      ServeFastFile(runtime_, {.name = "train", .uri = "mem://data/p/"}, {}, folder_, options);
  ASSERT_EQ(umount2(folder_.c_str(), 0), 0);
  const Result<int> result = failed.Wait();
  EXPECT_THAT(result.error().what(), HasSubstr("was unmounted"));
}

TEST_F(FastFileTest, OnlyAPrefixThatIsAFolderCanBeServed) {
  Put("train-01/a", "x");
  const auto serve = [&](ChannelSpec spec) { ServeFastFile(runtime_, spec, {}, folder_); };
  const Error within = ErrorOf([&] { serve({.name = "train", .uri = "mem://data/p/train"}); });
  EXPECT_EQ(within.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(within.what(), HasSubstr("p/train-01/a"));
  const Error manifest = ErrorOf(
      [&] { serve({.name = "train", .uri = "mem://data/p/list", .data = ChannelData::kManifestFile}); });
  EXPECT_EQ(manifest.code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace bucketline
