#include "bucketline/cache/node_cache.h"

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/cache_report.h"
#include "bucketline/cache/cache_testing.h"

namespace bucketline {
namespace {

using Added = NodeCache::Added;
using testing::Add;
using ::testing::AllOf;
using testing::Has;
using ::testing::HasSubstr;
using testing::KnownEntry;

class NodeCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<NodeCache> Open(uint64_t limit) {
    return NodeCache::Open({.folder = Path(), .limit = limit, .log = [this](LogLevel, std::string_view text) {
                              std::lock_guard lock(mutex_);
                              log_.append(text).append("\n");
                            }});
  }
  std::string Path() const { return folder_.Path("deep/cache"); }
  std::string ErrorOf(const std::function<void()>& work, ErrorCode code) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "no error";
    return "";
  }
  // How many of the first `count` entries are there.
  static uint64_t CountOf(NodeCache& cache, const CachedDataset& dataset, uint64_t count) {
    uint64_t found = 0;
    for (uint64_t n = 0; n < count; ++n) found += Has(cache, dataset, KnownEntry(n)) ? 1 : 0;
    return found;
  }
  // Entries 0, 1, ... until one does not fit.
  static uint64_t Fill(NodeCache& cache, const CachedDataset& dataset) {
    uint64_t n = 0;
    while (Add(cache, dataset, KnownEntry(n)) == Added::kStored) ++n;
    return n;
  }

  testing::TempFolder folder_;
  std::mutex mutex_;
  std::string log_;
};

TEST_F(NodeCacheTest, KeepsWhatWasAddedForTheNextProcess) {
  {
    const auto cache = Open(8_MiB);
    const auto dataset = cache->Use("a");
    EXPECT_FALSE(Has(*cache, *dataset, KnownEntry(1)));
    EXPECT_EQ(Add(*cache, *dataset, KnownEntry(1)), Added::kStored);
    EXPECT_EQ(Add(*cache, *dataset, KnownEntry(1)), Added::kThere);
    EXPECT_EQ(cache->counters().stored.value(), 1u);
  }
  const auto cache = Open(0);
  EXPECT_EQ(cache->limit(), 8_MiB);
  EXPECT_TRUE(Has(*cache, *cache->Use("a"), KnownEntry(1)));
  EXPECT_FALSE(Has(*cache, *cache->Use("b"), KnownEntry(1)));
}

TEST_F(NodeCacheTest, AdmitsUntilFullThenKeeps) {
  const auto cache = Open(4_MiB);
  const auto dataset = cache->Use("a");
  const uint64_t count = Fill(*cache, *dataset);
  EXPECT_GT(count * 10'000, 4_MiB * 5 / 10);  // of files of two and a half blocks
  EXPECT_LE(testing::DiskUse(Path()), 4_MiB);
  EXPECT_LE(cache->used(), 4_MiB);
  EXPECT_GE(cache->used(), testing::DiskUse(Path()));
  EXPECT_EQ(Add(*cache, *dataset, KnownEntry(count + 1)), Added::kFull);
  EXPECT_EQ(CountOf(*cache, *dataset, count + 2), count);
  EXPECT_EQ(cache->counters().full.value(), 2u);
}

TEST_F(NodeCacheTest, TheDatasetThatIsLongestUnusedLeavesFirstAndNoneThatIsUsed) {
  const auto cache = Open(4_MiB);
  for (const std::string name : {"old", "older", "newer"}) {
    const auto dataset = cache->Use(name);
    for (uint64_t n = 0; n < 60; ++n) ASSERT_EQ(Add(*cache, *dataset, KnownEntry(n)), Added::kStored);
  }
  {
    const auto used_again = cache->Use("old");
  }
  const auto newer = cache->Use("newer");
  const auto mine = cache->Use("mine");
  for (uint64_t n = 0; n < 100; ++n) ASSERT_EQ(Add(*cache, *mine, KnownEntry(n)), Added::kStored) << n;
  EXPECT_EQ(CountOf(*cache, *newer, 60), 60u);
  const uint64_t old_left = CountOf(*cache, *cache->Use("old"), 60);
  const uint64_t older_left = CountOf(*cache, *cache->Use("older"), 60);
  EXPECT_LT(older_left, 60u);
  EXPECT_GT(older_left, 0u);
  EXPECT_EQ(old_left, 60u);
  for (uint64_t n = 100; Add(*cache, *mine, KnownEntry(n)) == Added::kStored; ++n) continue;
  std::vector<std::string> left;
  for (const CacheDatasetStatus& one : ReadCacheStatus(Path()).datasets) left.push_back(one.name);
  EXPECT_THAT(left, ::testing::ElementsAre("newer", "mine"));
  EXPECT_EQ(cache->Use("another"), nullptr) << "there is no room for its folder";
  EXPECT_THAT(log_, AllOf(HasSubstr("full of datasets that are in use"), HasSubstr("another")));
  EXPECT_EQ(CountOf(*cache, *newer, 60), 60u);
  EXPECT_EQ(CountOf(*cache, *mine, 100), 100u);
  EXPECT_LE(testing::DiskUse(Path()), 4_MiB);
}

TEST_F(NodeCacheTest, ANewCacheNeedsASize) {
  EXPECT_THAT(ErrorOf([&] { Open(0); }, ErrorCode::kInvalidArgument),
              AllOf(HasSubstr(Path()), HasSubstr("cache_size=\"200GiB\"")));
  EXPECT_THAT(ErrorOf([&] { Open(1_MiB - 1); }, ErrorCode::kInvalidArgument), HasSubstr("at least 1.0 MiB"));
  EXPECT_THAT(ErrorOf([&] { NodeCache::Open({.folder = "", .limit = 1_MiB}); }, ErrorCode::kInvalidArgument),
              HasSubstr("needs a folder"));
}

TEST_F(NodeCacheTest, ProcessesThatUseItTogetherHaveOneLimit) {
  auto first = Open(8_MiB);
  const auto second = Open(8_MiB);
  EXPECT_THAT(ErrorOf([&] { Open(4_MiB); }, ErrorCode::kInvalidArgument),
              AllOf(HasSubstr("4.0 MiB"), HasSubstr("8.0 MiB"), HasSubstr(Path())));
  const auto a = first->Use("a"), same = second->Use("a");
  EXPECT_EQ(Add(*first, *a, KnownEntry(1)), Added::kStored);
  EXPECT_TRUE(Has(*second, *same, KnownEntry(1)));
  EXPECT_EQ(Add(*second, *same, KnownEntry(1)), Added::kThere);
  // Together they take no more than it.
  for (uint64_t n = 2; n < 2000; ++n) Add(n % 2 ? *first : *second, n % 2 ? *a : *same, KnownEntry(n));
  EXPECT_LE(testing::DiskUse(Path()), 8_MiB);
  EXPECT_GT(testing::DiskUse(Path()), 6_MiB);
}

TEST_F(NodeCacheTest, ASmallerLimitTakesWhatIsTooMuchAway) {
  uint64_t count = 0;
  {
    const auto cache = Open(8_MiB);
    count = Fill(*cache, *cache->Use("a"));
  }
  const auto cache = Open(4_MiB);
  EXPECT_EQ(cache->limit(), 4_MiB);
  EXPECT_LE(testing::DiskUse(Path()), 4_MiB);
  const uint64_t left = CountOf(*cache, *cache->Use("a"), count);
  EXPECT_GT(left, count / 3);
  EXPECT_LT(left, count);
}

TEST_F(NodeCacheTest, AnotherStateReplacesTheOld) {
  const auto cache = Open(8_MiB);
  const auto dataset = cache->Use("a");
  Add(*cache, *dataset, KnownEntry(1));
  const uint64_t used = cache->used();
  const KnownEntry newer(1, 10'000, "\"newer\"");
  EXPECT_EQ(Add(*cache, *dataset, newer), Added::kThere);
  const auto old = cache->Find(*dataset, newer.id);
  ASSERT_TRUE(old);
  EXPECT_EQ(old->state(), EntryReader::State::kOther);
  cache->Drop(*dataset, newer.id, *old);
  EXPECT_EQ(Add(*cache, *dataset, newer), Added::kStored);
  EXPECT_TRUE(Has(*cache, *dataset, newer));
  EXPECT_FALSE(Has(*cache, *dataset, KnownEntry(1)));
  EXPECT_EQ(cache->used(), used);
  cache->Drop(*dataset, newer.id, *old);  // not the one that was seen
  EXPECT_TRUE(Has(*cache, *dataset, newer));
}

TEST_F(NodeCacheTest, WithoutItsStateItIsCountedAnew) {
  uint64_t used = 0;
  {
    const auto cache = Open(8_MiB);
    const auto dataset = cache->Use("a");
    for (uint64_t n = 0; n < 100; ++n) Add(*cache, *dataset, KnownEntry(n));
    used = cache->used();
  }
  folder_.Put("deep/cache/" + DatasetFolder::FolderOf(DatasetFolder::IdOf("a")) + "/" +
                  DatasetFolder::PathOfFolder(DatasetFolder::FolderOfHash(KnownEntry(1).id.hash())) + "/t-3",
              "unfinished");
  std::filesystem::remove(Path() + "/state");
  std::filesystem::create_directories(Path() + "/d-0123456789abcdef/00");  // half made
  const auto cache = Open(8_MiB);
  const auto dataset = cache->Use("a");
  const SteadyTime end = Clock::Real().Now() + std::chrono::seconds(120);
  while (!cache->Accepts(1) && Clock::Real().Now() < end) std::this_thread::yield();
  ASSERT_TRUE(cache->Accepts(1));
  EXPECT_EQ(CountOf(*cache, *dataset, 100), 100u);
  EXPECT_EQ(cache->used(), used);
  EXPECT_FALSE(std::filesystem::exists(Path() + "/d-0123456789abcdef"));
}

TEST_F(NodeCacheTest, WhatALossOfPowerLeavesIsNeverCountedAsLessThanItIs) {
  {
    const auto cache = Open(2_MiB);
    Fill(*cache, *cache->Use("a"));
  }
  // Files that were named, but whose bytes never reached the disk.
  const std::string info = Path() + "/" + DatasetFolder::FolderOf(DatasetFolder::IdOf("a")) + "/info";
  for (const std::string& path : {Path() + "/state", info}) {
    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, 0);
    std::filesystem::resize_file(path, size);
  }
  const auto cache = Open(2_MiB);
  const auto dataset = cache->Use("a");
  const SteadyTime end = Clock::Real().Now() + std::chrono::seconds(120);
  while (!cache->Accepts(1) && Clock::Real().Now() < end) std::this_thread::yield();
  EXPECT_GT(Fill(*cache, *dataset), 20u);
  EXPECT_LE(testing::DiskUse(Path()), 2_MiB);
  EXPECT_GE(cache->used(), testing::DiskUse(Path()));
}

TEST_F(NodeCacheTest, AnotherVersionsCacheIsRefused) {
  {
    Open(8_MiB);
  }
  std::fstream state(Path() + "/state", std::ios::in | std::ios::out | std::ios::binary);
  state.seekp(8);
  state.put(9);
  state.close();
  EXPECT_THAT(ErrorOf([&] { Open(8_MiB); }, ErrorCode::kUnsupported), HasSubstr("another version"));
}

TEST_F(NodeCacheTest, AFolderThatCannotBeWrittenIsNamed) {
  folder_.Put("file", "");
  EXPECT_THAT(ErrorOf([&] { NodeCache::Open({.folder = folder_.Path("file/cache"), .limit = 1_MiB}); },
                      ErrorCode::kNotFound),
              AllOf(HasSubstr(folder_.Path("file/cache")), HasSubstr("leave the cache out")));
  std::filesystem::create_directory(folder_.Path("others"));
  std::filesystem::permissions(folder_.Path("others"), std::filesystem::perms(0555));
  const uid_t user = ::geteuid();
  if (user == 0) {  // who may write everywhere
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string error =
      ErrorOf([&] { NodeCache::Open({.folder = folder_.Path("others"), .limit = 1_MiB}); },
              ErrorCode::kPermissionDenied);
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_THAT(error, AllOf(HasSubstr(folder_.Path("others")), HasSubstr("leave the cache out")));
}

TEST_F(NodeCacheTest, ADiskThatIsFullIsSaidOnceAndReadsGoOn) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto cache = Open(8_MiB);
  const auto dataset = cache->Use("a");
  ASSERT_EQ(Add(*cache, *dataset, KnownEntry(1)), Added::kStored);
  const uint64_t used = cache->used();
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{.rlim_cur = 4096, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  EXPECT_EQ(Add(*cache, *dataset, KnownEntry(2)), Added::kFailed);
  EXPECT_EQ(Add(*cache, *dataset, KnownEntry(3)), Added::kFull) << "the disk is left alone for a while";
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(Has(*cache, *dataset, KnownEntry(1)));
  EXPECT_FALSE(Has(*cache, *dataset, KnownEntry(2)));
  EXPECT_EQ(cache->counters().failed.value(), 1u);
  EXPECT_LE(cache->used(), used + cache->limit() / 1000) << "what was not written is not counted";
  EXPECT_THAT(log_, AllOf(HasSubstr("write an entry of the cache"), HasSubstr(Path())));
}

TEST_F(NodeCacheTest, JobsGoOnWithoutAFolderThatWasRemoved) {
  const auto cache = Open(8_MiB);
  const auto dataset = cache->Use("a");
  Add(*cache, *dataset, KnownEntry(1));
  std::filesystem::remove_all(Path());
  EXPECT_FALSE(Has(*cache, *dataset, KnownEntry(1)));
  EXPECT_EQ(Add(*cache, *dataset, KnownEntry(1)), Added::kFailed);
  EXPECT_THAT(log_, HasSubstr(Path()));
}

TEST_F(NodeCacheTest, IsItsOwnersAlone) {
  const auto cache = Open(8_MiB);
  EXPECT_EQ(std::filesystem::status(Path()).permissions(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace bucketline
