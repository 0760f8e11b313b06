#include "bucketline/serve/buckets.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/serve/random_text.h"
#include "bucketline/store/blocking.h"

namespace bucketline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class Folder {
 public:
  Folder() : path_(fs::path(::testing::TempDir()) / ("serve-" + serve::RandomText(12))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<std::string> NamesOf(BucketProvider& buckets) {
  std::vector<std::string> names;
  for (const BucketInfo& bucket : buckets.List()) names.push_back(bucket.name);
  return names;
}

TEST(BucketName, Rule) {
  for (const char* good : {"abc", "a-b.c", "123", "a1b", "1.2.3"})
    EXPECT_TRUE(IsValidNewBucketName(good)) << good;
  for (const char* bad :
       {"", "ab", "Abc", "-abc", "abc-", ".abc", "a..b", "a_b", "a/b", "192.168.0.1", "..."}) {
    EXPECT_FALSE(IsValidNewBucketName(bad)) << bad;
  }
  EXPECT_TRUE(IsValidNewBucketName(std::string(63, 'a')));
  EXPECT_FALSE(IsValidNewBucketName(std::string(64, 'a')));
}

void CheckLifecycle(BucketProvider& buckets) {
  EXPECT_EQ(buckets.Find("two"), nullptr);
  EXPECT_TRUE(buckets.Create("two"));
  EXPECT_FALSE(buckets.Create("two"));
  EXPECT_TRUE(buckets.Create("one"));
  EXPECT_THAT(NamesOf(buckets), ElementsAre("one", "two"));
  const std::shared_ptr<ObjectStore> store = buckets.Find("two");
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(store, buckets.Find("two"));
  PutBytes(*store, "a/b", "x");
  EXPECT_EQ(buckets.Remove("two"), BucketRemoval::kNotEmpty);
  EXPECT_EQ(GetBytes(*store, "a/b").ToString(), "x");
  DeleteObject(*store, "a/b");
  EXPECT_EQ(buckets.Remove("two"), BucketRemoval::kRemoved);
  EXPECT_EQ(buckets.Remove("two"), BucketRemoval::kMissing);
  EXPECT_EQ(buckets.Find("two"), nullptr);
  EXPECT_THAT(NamesOf(buckets), ElementsAre("one"));
  EXPECT_TRUE(buckets.Create("two"));
  PutBytes(*buckets.Staging(), "part", "p");
  EXPECT_TRUE(ListAll(*buckets.Find("two"), "").empty());
  EXPECT_THAT(NamesOf(buckets), ElementsAre("one", "two"));
}

TEST(MemoryBuckets, Lifecycle) { CheckLifecycle(*MakeMemoryBuckets()); }

TEST(FolderBuckets, Lifecycle) {
  const Folder folder;
  CheckLifecycle(*MakeFolderBuckets(folder.path().string()));
  EXPECT_FALSE(fs::exists(folder.path() / ".bucketline-serve")) << "unfinished uploads outlive the endpoint";
}

TEST(FolderBuckets, OnlyRealFoldersOfTheFirstLevel) {
  const Folder outside;
  const Folder folder;
  fs::create_directories(folder.path() / "Data_2024" / "inner");
  fs::create_directory(folder.path() / ".hidden");
  fs::create_directory(folder.path() / "with blank");
  fs::create_directory_symlink(outside.path(), folder.path() / "linked");
  std::ofstream(folder.path() / "file") << "x";
  const std::unique_ptr<BucketProvider> buckets = MakeFolderBuckets(folder.path().string());
  EXPECT_THAT(NamesOf(*buckets), ElementsAre("Data_2024"));
  EXPECT_NE(buckets->Find("Data_2024"), nullptr);
  for (const char* name :
       {"", ".", "..", ".hidden", "with blank", "linked", "file", "Data_2024/inner", "missing"}) {
    EXPECT_EQ(buckets->Find(name), nullptr) << name;
    EXPECT_EQ(buckets->Remove(name), BucketRemoval::kMissing) << name;
  }
}

TEST(FolderBuckets, RemovalNeverTakesFilesAlong) {
  const Folder outside;
  std::ofstream(outside.path() / "precious") << "x";
  const Folder folder;
  fs::create_directories(folder.path() / "bucket" / "a" / "b");
  fs::create_directory_symlink(outside.path(), folder.path() / "bucket" / "a" / "link");
  const std::unique_ptr<BucketProvider> buckets = MakeFolderBuckets(folder.path().string());
  EXPECT_EQ(buckets->Remove("bucket"), BucketRemoval::kNotEmpty);
  EXPECT_TRUE(fs::exists(outside.path() / "precious"));
  fs::remove(folder.path() / "bucket" / "a" / "link");
  EXPECT_EQ(buckets->Remove("bucket"), BucketRemoval::kRemoved) << "empty folders are not objects";
}

TEST(FolderBuckets, OneEndpointUploadsToAFolderAtATime) {
  const Folder folder;
  std::unique_ptr<BucketProvider> first = MakeFolderBuckets(folder.path().string());
  EXPECT_FALSE(fs::exists(folder.path() / ".bucketline-serve"))
      << "nothing is written before the first upload";
  PutBytes(*first->Staging(), "left-over", "x");
  const std::unique_ptr<BucketProvider> second = MakeFolderBuckets(folder.path().string());
  try {
    second->Staging();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  }
  first.reset();
  EXPECT_TRUE(ListAll(*second->Staging(), "").empty());
}

TEST(FolderBuckets, LeftOversOfACrashAreCleared) {
  const Folder folder;
  fs::create_directories(folder.path() / ".bucketline-serve" / "parts");
  std::ofstream(folder.path() / ".bucketline-serve" / "parts" / "old") << "x";
  EXPECT_TRUE(ListAll(*MakeFolderBuckets(folder.path().string())->Staging(), "").empty());
}

TEST(FolderBuckets, TheFolderMustExist) {
  try {
    MakeFolderBuckets("/nonexistent-folder-of-buckets");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace bucketline
