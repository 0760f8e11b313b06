#include "bucketline/cache/blob_cache.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/cache/cache_report.h"
#include "bucketline/cache/cache_testing.h"
#include "bucketline/cache/caching_store.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

using ::testing::HasSubstr;
using testing::RampBytes;

class BlobCacheTest : public ::testing::Test {
 protected:
  BlobCacheTest() : bytes_(RampBytes(10'000)) { Open(64_MiB); }

  void Open(uint64_t limit) {
    store_ = nullptr;
    cache_ = nullptr;
    cache_ = NodeCache::Open(
        {.folder = folder_.Path("cache"), .limit = limit, .log = [this](LogLevel, std::string_view text) {
           log_.append(text).append("\n");
         }});
    store_ = std::make_shared<CachingStore>(MakeMemoryStore("far"), cache_, cache_->Use("mem://far/"),
                                            "mem://far", true);
  }
  static BlobSource Source(const std::string& etag = "\"e\"") {
    return {.key = "k", .offset = 0, .length = 500, .etag = etag};
  }
  bool Has(BlobCache& blobs, const BlobSource& source = Source()) {
    const EntryId id = blobs.IdOf(source);
    const auto found = blobs.Find(id);
    if (!found) return false;
    std::vector<uint8_t> read(found->size);
    EXPECT_TRUE(blobs.Read(id, read));
    EXPECT_EQ(read, bytes_);
    EXPECT_EQ(found->note, "a note");
    return true;
  }
  void Add(BlobCache& blobs, const BlobSource& source = Source()) {
    blobs.Add(blobs.IdOf(source), "a note", bytes_);
  }
  std::string OnlyEntry() const { return testing::OnlyEntryOf(folder_.Path("cache")); }

  testing::TempFolder folder_;
  std::string log_;
  std::vector<uint8_t> bytes_;
  std::shared_ptr<NodeCache> cache_;
  std::shared_ptr<CachingStore> store_;
};

TEST_F(BlobCacheTest, WhatWasAddedIsThereForTheNextProcess) {
  {
    const auto blobs = store_->OpenBlobs("small");
    EXPECT_FALSE(Has(*blobs));
    Add(*blobs);
    EXPECT_TRUE(Has(*blobs));
  }
  EXPECT_EQ(cache_->counters().pixel_misses.value(), 1u);
  EXPECT_EQ(cache_->counters().pixel_hits.value(), 1u);
  EXPECT_EQ(cache_->counters().pixel_hit_bytes.value(), 10'000u);
  EXPECT_EQ(cache_->counters().hits.value() + cache_->counters().misses.value(), 0u) << "no read";
  Open(0);
  EXPECT_TRUE(Has(*store_->OpenBlobs("small")));
}

TEST_F(BlobCacheTest, KeyRangeStateAndRecipeTellBlobsApart) {
  const auto blobs = store_->OpenBlobs("small");
  Add(*blobs);
  EXPECT_FALSE(Has(*store_->OpenBlobs("large")));
  BlobSource other = Source();
  other.key = "l";
  EXPECT_FALSE(Has(*blobs, other));
  other = Source();
  other.offset = 1;
  EXPECT_FALSE(Has(*blobs, other));
  other = Source();
  other.length = 499;
  EXPECT_FALSE(Has(*blobs, other));
  EXPECT_NE(blobs->IdOf(Source()).range(), EntryId("mem://far", "k", 0, 500, "\"e\"").range())
      << "the object itself";
  EXPECT_TRUE(Has(*blobs));
}

TEST_F(BlobCacheTest, OfAnotherStateOfTheObjectLeaves) {
  const auto blobs = store_->OpenBlobs("small");
  Add(*blobs);
  EXPECT_FALSE(Has(*blobs, Source("\"newer\"")));
  EXPECT_EQ(OnlyEntry(), "");
  Add(*blobs, Source("\"newer\""));
  EXPECT_TRUE(Has(*blobs, Source("\"newer\"")));
  EXPECT_FALSE(Has(*blobs));
  EXPECT_EQ(cache_->counters().damaged.value(), 0u);
}

TEST_F(BlobCacheTest, ADamagedOneIsCountedAndLeaves) {
  const auto blobs = store_->OpenBlobs("small");
  const EntryId id = blobs->IdOf(Source());
  for (const bool header : {false, true}) {
    Add(*blobs);
    const std::string path = OnlyEntry();
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(header ? 20 : static_cast<int>(std::filesystem::file_size(path)) - 1);
      file.put('?');
    }
    EXPECT_EQ(blobs->Find(id).has_value(), !header);
    std::vector<uint8_t> read(bytes_.size());
    EXPECT_FALSE(blobs->Read(id, read));
    EXPECT_EQ(cache_->counters().damaged.value(), header ? 2u : 1u);
    EXPECT_EQ(OnlyEntry(), "");
  }
  EXPECT_EQ(cache_->counters().pixel_hits.value(), 0u);
  std::vector<uint8_t> read(bytes_.size() - 1);
  Add(*blobs);
  EXPECT_FALSE(blobs->Read(id, read)) << "of another size";
  EXPECT_TRUE(Has(*blobs));
}

TEST_F(BlobCacheTest, ItsRecipesAreDatasetsThatLeaveWhenNobodyUsesThem) {
  Open(2_MiB);
  const auto fill = [&](const std::string& recipe, uint64_t from) {
    const auto blobs = store_->OpenBlobs(recipe);
    const uint64_t before = cache_->counters().stored.value();
    for (uint64_t i = 0; i < 200; ++i) {
      BlobSource source = Source();
      source.key = std::to_string(from + i);
      Add(*blobs, source);
    }
    return cache_->counters().stored.value() - before;
  };
  const uint64_t first = fill("224x224", 0);
  EXPECT_GT(first, 50u);
  EXPECT_LT(first, 200u) << "until it is full";
  Open(0);  // room is not looked for again at once
  EXPECT_GE(fill("256x256", 1000), first / 2) << "in the place of those of a recipe that nobody uses";
  std::vector<std::string> names;
  for (const CacheDatasetStatus& one : ReadCacheStatus(cache_->folder()).datasets) names.push_back(one.name);
  EXPECT_THAT(names, ::testing::Contains("mem://far/ [256x256]"));
  EXPECT_LE(testing::DiskUse(cache_->folder()), 2_MiB);
  EXPECT_EQ(VerifyCache(cache_->folder()).damaged, 0u);
}

TEST_F(BlobCacheTest, ADiskThatCannotReadIsSaidAndCostsNoMoreThanTheBlob) {
  const auto blobs = store_->OpenBlobs("small");
  Add(*blobs);
  UniqueFd file(::open(OnlyEntry().c_str(), O_RDONLY | O_CLOEXEC));
  const int number = file.get();
  const EntryReader entry(std::move(file), blobs->IdOf(Source()));
  ASSERT_EQ(entry.state(), EntryReader::State::kWanted);
  const UniqueFd unreadable(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::dup2(unreadable.get(), number), number);
  std::vector<uint8_t> read(bytes_.size());
  EXPECT_EQ(cache_->Read(entry, read), NodeCache::Bytes::kFailed);
  EXPECT_EQ(cache_->counters().failed.value(), 1u);
  EXPECT_THAT(log_, HasSubstr("read the cache"));
  EXPECT_TRUE(Has(*blobs));
}

}  // namespace
}  // namespace bucketline
