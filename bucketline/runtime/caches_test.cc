#include "bucketline/runtime/caches.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/base/units.h"
#include "bucketline/store/memory_store.h"

namespace bucketline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Caches, ADatasetIsTheFolderOfItsKeys) {
  const std::pair<std::string, std::string> cases[] = {
      {"s3://b/images/", "s3://b/images/"},
      {"s3://b/images/cat", "s3://b/images/"},
      {"s3://b/train-{000..146}.tar", "s3://b/"},
      {"s3://b/x/{a,b}/y", "s3://b/x/"},
      {"s3://b/x/train-000.tar", "s3://b/x/"},
      {"s3://b/", "s3://b/"},
      {"s3://b", "s3://b/"},
      {"/data/images/", "/data/images/"},
  };
  for (const auto& [source, dataset] : cases) EXPECT_EQ(DatasetOfSource(source), dataset) << source;
}

class RuntimeCache : public ::testing::Test {
 protected:
  static RuntimeOptions Options(const CacheOptions& cache = {}) {
    RuntimeOptions options;
    options.cache = cache;
    options.s3.endpoint_url = "http://127.0.0.1:9";  // nothing is asked of it
    options.s3.access_key_id = options.s3.secret_access_key = "key";
    options.log = LogToNowhere();
    return options;
  }
  CacheOptions Cache(const std::string& name) const { return {.folder = folder_.Path(name), .size = 4_MiB}; }

  testing::TempFolder folder_;
};

TEST_F(RuntimeCache, GivesOneStoreForOneDatasetOfOneStore) {
  Runtime runtime(Options());
  const auto far = runtime.StoreFor(Uri::Parse("s3://bucket/a/"));
  const auto a = runtime.WithCache(far, Cache("c"), "s3://bucket/a/");
  EXPECT_NE(a, far);
  EXPECT_EQ(runtime.WithCache(far, Cache("c"), "s3://bucket/a/x-{0..9}.tar"), a);
  EXPECT_EQ(runtime.WithCache(far, {.folder = folder_.Path("c")}, "s3://bucket/a/"), a);
  EXPECT_EQ(runtime.WithCache(a, Cache("c"), "s3://bucket/a/"), a) << "never a cache of a cache";
  EXPECT_NE(runtime.WithCache(far, Cache("c"), "s3://bucket/b/"), a);
  EXPECT_NE(runtime.WithCache(far, Cache("d"), "s3://bucket/a/"), a);
  EXPECT_EQ(dynamic_cast<const CachingStore&>(*a).inner(), far);
}

TEST_F(RuntimeCache, AStoreKeepsTheCacheThatItWasGiven) {
  Runtime runtime(Options(Cache("everybody's")));
  const auto far = runtime.StoreFor(Uri::Parse("s3://bucket/a/"));
  const auto own = runtime.WithCache(far, Cache("own"), "s3://bucket/a/");
  EXPECT_EQ(runtime.WithCache(own, "s3://bucket/a/"), own);
  const auto everybodys = runtime.WithCache(far, "s3://bucket/a/");
  EXPECT_EQ(dynamic_cast<const CachingStore&>(*everybodys).cache()->folder(), folder_.Path("everybody's"));
  Runtime without(Options());
  EXPECT_EQ(without.WithCache(far, "s3://bucket/a/"), far);
}

TEST_F(RuntimeCache, PixelsAreKeptWhereThatWasAskedFor) {
  CacheOptions pixels = Cache("c");
  pixels.pixels = true;
  Runtime runtime(Options(pixels));
  const auto far = runtime.StoreFor(Uri::Parse("s3://bucket/a/"));
  const auto keeps = [](const std::shared_ptr<ObjectStore>& store) {
    return dynamic_cast<const CachingStore&>(*store).keeps_pixels();
  };
  const auto with = runtime.WithCache(far, "s3://bucket/a/");
  EXPECT_TRUE(keeps(with));
  const auto without = runtime.WithCache(far, Cache("c"), "s3://bucket/a/");
  EXPECT_FALSE(keeps(without));
  EXPECT_EQ(runtime.WithCache(with, "s3://bucket/a/"), with);
  EXPECT_EQ(runtime.WithCache(without, "s3://bucket/a/"), without) << "as it was given";
  EXPECT_EQ(runtime.WithCache(without, pixels, "s3://bucket/a/"), with);
}

TEST_F(RuntimeCache, WhatIsNearIsReadWhereItIs) {
  Runtime runtime(Options(Cache("c")));
  const std::shared_ptr<ObjectStore> memory = MakeMemoryStore("near");
  const auto files = runtime.StoreFor(Uri::Parse(folder_.path()));
  EXPECT_EQ(runtime.WithCache(memory, "mem://near/"), memory);
  EXPECT_EQ(runtime.WithCache(files, Cache("c"), folder_.path()), files);
  EXPECT_FALSE(std::filesystem::exists(folder_.Path("c")));
}

TEST_F(RuntimeCache, AnotherSizeInTheSameProcessIsAnError) {
  Runtime runtime(Options());
  const auto far = runtime.StoreFor(Uri::Parse("s3://bucket/a/"));
  const auto a = runtime.WithCache(far, Cache("c"), "s3://bucket/a/");
  try {
    runtime.WithCache(far, {.folder = folder_.Path("c"), .size = 8_MiB}, "s3://bucket/b/");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("8.0 MiB"), HasSubstr("4.0 MiB"), HasSubstr(folder_.Path("c"))));
  }
}

}  // namespace
}  // namespace bucketline
