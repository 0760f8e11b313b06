#include "bucketline/cache/cache_report.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/cache_testing.h"

namespace bucketline {
namespace {

using testing::Add;
using testing::Has;
using testing::KnownEntry;

class CacheReport : public ::testing::Test {
 protected:
  CacheReport() {
    cache_ = NodeCache::Open({.folder = folder_.Path("cache"), .limit = 8_MiB, .log = LogToNowhere()});
    a_ = cache_->Use("s3://b/a/");
    for (uint64_t n = 0; n < 20; ++n) Add(*cache_, *a_, KnownEntry(n));
    const auto b = cache_->Use("s3://b/b/");
    for (uint64_t n = 0; n < 10; ++n) Add(*cache_, *b, KnownEntry(n));
  }

  testing::TempFolder folder_;
  std::shared_ptr<NodeCache> cache_;
  std::shared_ptr<CachedDataset> a_;
};

TEST_F(CacheReport, StatusTellsWhatIsThere) {
  CacheStatus status = ReadCacheStatus(folder_.Path("cache"));
  EXPECT_EQ(status.limit, 8_MiB);
  EXPECT_EQ(status.used, cache_->used());
  EXPECT_TRUE(status.in_use);
  EXPECT_TRUE(status.counted);
  ASSERT_EQ(status.datasets.size(), 2u);
  EXPECT_EQ(status.datasets[0].name, "s3://b/a/");
  EXPECT_EQ(status.datasets[0].entries, 20u);
  EXPECT_TRUE(status.datasets[0].in_use);
  EXPECT_EQ(status.datasets[1].name, "s3://b/b/");
  EXPECT_EQ(status.datasets[1].entries, 10u);
  EXPECT_FALSE(status.datasets[1].in_use);
  EXPECT_LT(status.datasets[0].bytes + status.datasets[1].bytes, status.used);
  EXPECT_GE(status.used, testing::DiskUse(folder_.Path("cache")));
  a_ = nullptr;
  cache_ = nullptr;
  status = ReadCacheStatus(folder_.Path("cache"));
  EXPECT_FALSE(status.in_use);
  EXPECT_FALSE(status.datasets.back().in_use);
}

TEST_F(CacheReport, VerifyRemovesWhatIsDamaged) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_.Path("cache"))) {
    if (file.path().filename().string().size() == 16) files.push_back(file.path().string());
  }
  ASSERT_EQ(files.size(), 30u);
  EXPECT_EQ(VerifyCache(folder_.Path("cache")).damaged, 0u);
  std::fstream(files[3], std::ios::in | std::ios::out | std::ios::binary).seekp(9000).put('x');
  std::filesystem::resize_file(files[7], 5000);
  const uint64_t used = cache_->used();
  uint64_t told = 0;
  const CacheCheck check = VerifyCache(folder_.Path("cache"), [&](uint64_t entries) { told = entries; });
  EXPECT_EQ(check.entries, 30u);
  EXPECT_EQ(told, 30u);
  EXPECT_EQ(check.damaged, 2u);
  EXPECT_FALSE(std::filesystem::exists(files[3]));
  EXPECT_FALSE(std::filesystem::exists(files[7]));
  EXPECT_LT(cache_->used(), used);
  EXPECT_EQ(VerifyCache(folder_.Path("cache")).entries, 28u);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(VerifyCache(folder_.Path("cache"), {}, stop.get_token()), Error);
}

TEST_F(CacheReport, ClearEmptiesOneDatasetOrAll) {
  const uint64_t used = cache_->used();
  const uint64_t freed = ClearCache(folder_.Path("cache"), "s3://b/b/");
  EXPECT_EQ(cache_->used(), used - freed);
  EXPECT_GT(freed, 10 * 10'000u);
  EXPECT_EQ(ReadCacheStatus(folder_.Path("cache")).datasets.size(), 1u);
  EXPECT_TRUE(Has(*cache_, *a_, KnownEntry(1)));
  EXPECT_GT(ClearCache(folder_.Path("cache")), 0u);  // while it is used
  EXPECT_FALSE(Has(*cache_, *a_, KnownEntry(1)));
  EXPECT_EQ(Add(*cache_, *a_, KnownEntry(1)), NodeCache::Added::kStored);
  EXPECT_TRUE(Has(*cache_, *a_, KnownEntry(1)));
  const auto unknown = Catch([&] { ClearCache(folder_.Path("cache"), "s3://b/c/"); });
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), ErrorCode::kNotFound);
}

TEST_F(CacheReport, AFolderThatIsNoCacheIsLeftAlone) {
  std::filesystem::create_directory(folder_.Path("photos"));
  for (const std::string& folder : {folder_.Path("photos"), folder_.Path("nothing")}) {
    const auto status = Catch([&] { return ReadCacheStatus(folder); });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::kNotFound);
    EXPECT_EQ(status.error().uri(), folder);
    EXPECT_FALSE(Catch([&] { ClearCache(folder); }));
    EXPECT_FALSE(Catch([&] { VerifyCache(folder); }));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.Path("photos")));
}

TEST_F(CacheReport, ALockAloneMakesNoCache) {
  folder_.Put("half/lock", "");
  const auto status = Catch([&] { return ReadCacheStatus(folder_.Path("half")); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(status.error().uri(), folder_.Path("half"));
}

}  // namespace
}  // namespace bucketline
