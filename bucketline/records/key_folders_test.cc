#include "bucketline/records/key_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bucketline {
namespace {

TEST(KeyFolders, BelowAPrefix) {
  EXPECT_EQ(KeyBelow("train/cat/1.jpg", "train/"), "cat/1.jpg");
  EXPECT_EQ(KeyBelow("train/cat/1.jpg", "train"), "cat/1.jpg");
  EXPECT_EQ(KeyBelow("train/cat/1.jpg", "tr"), "train/cat/1.jpg");
  EXPECT_EQ(KeyBelow("x/train/1.jpg", "x/tr"), "train/1.jpg");
  EXPECT_EQ(KeyBelow("a", ""), "a");
  EXPECT_EQ(KeyBelow("test/1.jpg", "train/"), std::nullopt);
}

TEST(KeyFolders, FolderNameAndStem) {
  EXPECT_EQ(FolderOfKey("a/b/c.jpg"), "a/b");
  EXPECT_EQ(FolderOfKey("c.jpg"), "");
  EXPECT_EQ(FolderOfKey("/c.jpg"), "");
  EXPECT_EQ(NameOfKey("a/b/c.jpg"), "c.jpg");
  EXPECT_EQ(NameOfKey("c.jpg"), "c.jpg");
  EXPECT_EQ(NameOfKey("a/"), "");
  EXPECT_EQ(StemOfKey("a/b.c/d.tar.gz"), "a/b.c/d.tar");
  EXPECT_EQ(StemOfKey("a/b.c/d"), "a/b.c/d");
  EXPECT_EQ(StemOfKey("a/.hidden"), "a/.hidden");
  EXPECT_EQ(StemOfKey("x."), "x");
}

}  // namespace
}  // namespace bucketline
