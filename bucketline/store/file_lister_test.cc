#include "bucketline/store/file_lister.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using ::testing::ElementsAre;

class FileListerTest : public ::testing::Test {
 protected:
  FileListerTest() {
    for (const char* name : {"a", "b", "d/1", "d/2", "e"}) folder.Put(name, name);
  }

  ListPage Page(const std::string& token, int max_keys = 2, const std::string& prefix = "") {
    ListRequest request;
    request.prefix = prefix;
    request.token = token;
    request.max_keys = max_keys;
    return lister.ListPageOf(folder.path(), request, {});
  }

  static std::vector<std::string> Keys(const ListPage& page) {
    std::vector<std::string> keys;
    for (const ObjectInfo& object : page.objects) keys.push_back(object.key);
    return keys;
  }

  testing::TempFolder folder;
  FileLister lister;
};

TEST_F(FileListerTest, OneWalkServesAllPages) {
  const ListPage first = Page("");
  EXPECT_THAT(Keys(first), ElementsAre("a", "b"));
  EXPECT_EQ(lister.kept_walks(), 1u);
  const ListPage second = Page(first.next_token);
  EXPECT_THAT(Keys(second), ElementsAre("d/1", "d/2"));
  EXPECT_EQ(lister.kept_walks(), 1u);
  EXPECT_THAT(Keys(Page(second.next_token)), ElementsAre("e"));
  EXPECT_EQ(lister.kept_walks(), 0u) << "a finished listing keeps nothing";
}

TEST_F(FileListerTest, WhatIsNewOrGoneShowsInLaterPages) {
  const ListPage first = Page("");
  folder.Put("c", "new");
  std::filesystem::remove(folder.Path("e"));
  folder.Put("f", "new");
  const ListPage second = Page(first.next_token, 10);
  EXPECT_THAT(Keys(second), ElementsAre("d/1", "d/2", "f"))
      << "the token names d/1, the next key of its time";
}

TEST_F(FileListerTest, KeepsOnlyTheLatestWalks) {
  std::vector<ListPage> pages;
  for (int i = 0; i < 6; ++i) pages.push_back(Page(""));
  EXPECT_EQ(lister.kept_walks(), 4u);
  for (const ListPage& page : pages) EXPECT_THAT(Keys(Page(page.next_token)), ElementsAre("d/1", "d/2"));
}

TEST_F(FileListerTest, WalksOfOtherPrefixesAreNotMixedUp) {
  folder.Put("b2", "x");
  const ListPage all = Page("", 1);                     // stands at b
  const ListPage some = Page(all.next_token, 10, "b");  // the same token with another prefix
  EXPECT_THAT(Keys(some), ElementsAre("b", "b2"));
  EXPECT_THAT(Keys(Page(all.next_token, 10)), ElementsAre("b", "b2", "d/1", "d/2", "e"));
}

TEST_F(FileListerTest, PrefixesAreNoPaths) {
  EXPECT_THAT(Keys(Page("", 10, "d/")), ElementsAre("d/1", "d/2"));
  EXPECT_THAT(Keys(Page("", 10, "d/2")), ElementsAre("d/2"));
  EXPECT_TRUE(Page("", 10, "../").objects.empty());
  EXPECT_TRUE(Page("", 10, "/").objects.empty());
}

TEST_F(FileListerTest, AStopEndsTheWalk) {
  std::stop_source stop;
  stop.request_stop();
  const auto page = Catch([&] { return lister.ListPageOf(folder.path(), {}, {stop.get_token(), {}}); });
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code(), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace bucketline
