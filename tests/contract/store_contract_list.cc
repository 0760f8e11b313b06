// Listing: order, pages, prefixes, roll-up.
#include <algorithm>
#include <cstdio>
#include <set>

#include "tests/contract/store_contract.h"
#include <gmock/gmock.h>

#include "bucketline/store/parallel_list.h"

namespace bucketline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// An object is put and deleted first, so that the folder of a file store exists.
TEST_P(StoreContract, AnEmptyListingIsASuccess) {
  PutBytes(store(), "k", "x");
  DeleteObject(store(), "k");
  const Result<ListPage> page = List({});
  ASSERT_EQ(Outcome(page), "ok");
  EXPECT_THAT(page->objects, IsEmpty());
  EXPECT_THAT(page->prefixes, IsEmpty());
  EXPECT_EQ(page->next_token, "");
}

TEST_P(StoreContract, KeysComeBytewiseOverTheWholeTree) {
  Fill({"a/c", "a-b", "a.b", "a/b/c", "a0", "B", "a/b-c", "z", "a/b.c", "_"});
  EXPECT_THAT(AllKeys(), ElementsAre("B", "_", "a-b", "a.b", "a/b-c", "a/b.c", "a/b/c", "a/c", "a0", "z"));
}

TEST_P(StoreContract, ManyKeysComeInThreeFullPages) {
  const int count = fixture().many_keys;
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) {
    char key[32];
    std::snprintf(key, sizeof(key), "p/%d/%05d", i % 7, i);
    keys.emplace_back(key);
  }
  Fill(keys);
  std::sort(keys.begin(), keys.end());

  std::vector<std::string> listed;
  std::vector<size_t> pages;
  ListRequest request;
  request.prefix = "p/";
  do {
    const Result<ListPage> page = List(request);
    ASSERT_EQ(Outcome(page), "ok");
    for (const ObjectInfo& object : page->objects) {
      listed.push_back(object.key);
      EXPECT_EQ(object.size, object.key.size());
    }
    pages.push_back(page->objects.size());
    request.token = page->next_token;
  } while (!request.token.empty() && pages.size() < 5);
  EXPECT_THAT(pages, ElementsAre(1000, 1000, count - 2000));
  EXPECT_TRUE(listed == keys) << "keys are missing, doubled or out of order";
}

TEST_P(StoreContract, AListingInParallelFindsEveryKeyOnce) {
  std::vector<std::string> keys = {"o/1", "p0", "p/3/a b+c%20&d", "p/4/\xc3\xa4/\xf0\x9f\x98\x80", "q/1"};
  for (int i = 0; i < 350; ++i) {
    char key[32];
    std::snprintf(key, sizeof(key), "p/%d/%05d", i % 7, i * i);
    keys.emplace_back(key);
  }
  Fill(keys);
  std::erase_if(keys, [](const std::string& key) { return !key.starts_with("p/"); });
  std::sort(keys.begin(), keys.end());
  std::vector<std::string> listed;
  ListInParallel(store(), {.prefix = "p/", .width = 8, .page_keys = 10}, [&](ListedRange range) {
    for (const ObjectInfo& object : range.objects) {
      listed.push_back(object.key);
      EXPECT_EQ(object.size, object.key.size());
    }
    return true;
  });
  std::sort(listed.begin(), listed.end());
  EXPECT_TRUE(listed == keys) << "keys are missing or doubled";
}

TEST_P(StoreContract, AFullLastPageHasNoToken) {
  Fill({"a", "b", "c", "d"});
  ListRequest request;
  request.max_keys = 2;
  const Result<ListPage> first = List(request);
  ASSERT_EQ(Outcome(first), "ok");
  EXPECT_THAT(KeysOf(first->objects), ElementsAre("a", "b"));
  ASSERT_NE(first->next_token, "");
  request.token = first->next_token;
  const Result<ListPage> second = List(request);
  ASSERT_EQ(Outcome(second), "ok");
  EXPECT_THAT(KeysOf(second->objects), ElementsAre("c", "d"));
  EXPECT_EQ(second->next_token, "");
}

TEST_P(StoreContract, ATokenMayBeUsedTwiceAndAfterDeletes) {
  Fill({"a", "b", "c", "d", "e"});
  ListRequest request;
  request.max_keys = 2;
  request.token = ListOnePage(store(), request).next_token;
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("c", "d"));
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("c", "d"));
  DeleteObject(store(), "c");
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("d", "e"));
}

TEST_P(StoreContract, PrefixesAreBytesNotFolders) {
  Fill({"ab", "a/b", "abc/d", "b", "abd"});
  ListRequest request;
  request.prefix = "ab";
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("ab", "abc/d", "abd"));
  request.prefix = "abc/";
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("abc/d"));
  request.prefix = "no/such/";
  EXPECT_THAT(ListOnePage(store(), request).objects, IsEmpty());
}

TEST_P(StoreContract, TheDelimiterRollsUp) {
  Fill({"a/1", "a/2", "a/b/3", "ab", "b/4", "c", "a-"});
  ListRequest request;
  request.delimiter = "/";
  ListPage top = ListOnePage(store(), request);
  EXPECT_THAT(KeysOf(top.objects), ElementsAre("a-", "ab", "c"));
  EXPECT_THAT(top.prefixes, ElementsAre("a/", "b/"));
  request.prefix = "a/";
  ListPage below = ListOnePage(store(), request);
  EXPECT_THAT(KeysOf(below.objects), ElementsAre("a/1", "a/2"));
  EXPECT_THAT(below.prefixes, ElementsAre("a/b/"));
  request.prefix = "a";
  ListPage partial = ListOnePage(store(), request);
  EXPECT_THAT(KeysOf(partial.objects), ElementsAre("a-", "ab"));
  EXPECT_THAT(partial.prefixes, ElementsAre("a/"));
}

TEST_P(StoreContract, RolledUpPrefixesCountAndComeOnce) {
  Fill({"a/1", "a/2", "a/3", "b/1", "b/2", "c", "d/1"});
  ListRequest request;
  request.delimiter = "/";
  request.max_keys = 1;
  std::multiset<std::string> seen;
  int pages = 0;
  do {
    const ListPage page = ListOnePage(store(), request);
    EXPECT_EQ(page.objects.size() + page.prefixes.size(), 1u);
    for (const ObjectInfo& object : page.objects) seen.insert(object.key);
    seen.insert(page.prefixes.begin(), page.prefixes.end());
    request.token = page.next_token;
  } while (!request.token.empty() && ++pages < 10);
  EXPECT_THAT(seen, ElementsAre("a/", "b/", "c", "d/"));
}

TEST_P(StoreContract, StartAfterNeedNotExist) {
  Fill({"a", "b", "b-x", "c"});
  ListRequest request;
  request.start_after = "b";
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("b-x", "c"));
  request.start_after = "bzzz";
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("c"));
  request.start_after = "zzz";
  EXPECT_THAT(ListOnePage(store(), request).objects, IsEmpty());
}

TEST_P(StoreContract, StartAfterWorksWithinFolders) {
  Fill({"d/1", "d/2", "d/3", "e/1"});
  ListRequest request;
  request.prefix = "d/";
  request.start_after = "d/1";
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("d/2", "d/3"));
  request.start_after = "a";
  EXPECT_THAT(KeysOf(ListOnePage(store(), request).objects), ElementsAre("d/1", "d/2", "d/3"));
}

TEST_P(StoreContract, SenselessListRequestsAreRefused) {
  Fill({"a"});
  for (const int max_keys : {0, -1, 1001}) {
    ListRequest request;
    request.max_keys = max_keys;
    EXPECT_EQ(Outcome(List(request)), "InvalidArgument") << max_keys;
  }
  ListRequest request;
  request.delimiter = "-";
  EXPECT_EQ(Outcome(List(request)), "InvalidArgument");
}

// Every store of this suite, and every bucket: none keeps versions. Those that do have tests of their own
// (tests/integration/version_pin_test.cc).
TEST_P(StoreContract, VersionsThatAreNotKeptAreNotListed) {
  PutBytes(store(), "k", "data");
  ListRequest request;
  request.versions = true;
  EXPECT_EQ(Outcome(List(request)), "Unsupported");
}

}  // namespace
}  // namespace bucketline::testing
