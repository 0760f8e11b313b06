#include "bucketline/store/file_paths.h"

#include <gtest/gtest.h>

#include "bucketline/base/result.h"

namespace bucketline {
namespace {

bool Allowed(std::string_view key) {
  const Result<void> result = Catch([&] { CheckFileKey(key); });
  if (result.ok()) return true;
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  return false;
}

TEST(FilePaths, KeysThatAreRelativePathsAreAllowed) {
  for (const std::string key : {"a", "a/b/c", "...", "..a", ".hidden", "a..", "with space", "\xc3\xa9"}) {
    EXPECT_TRUE(Allowed(key)) << key;
  }
  EXPECT_TRUE(Allowed(std::string(255, 'x')));
}

TEST(FilePaths, KeysThatLeaveTheRootOrAreNoPathsAreNot) {
  for (const std::string key :
       {"", "/", "/etc/passwd", "..", "../a", "a/..", "a/../b", ".", "./a", "a/.", "a//b", "a/"}) {
    EXPECT_FALSE(Allowed(key)) << key;
  }
  EXPECT_FALSE(Allowed(std::string_view("a\0b", 3)));
  EXPECT_FALSE(Allowed("a/" + std::string(256, 'x')));
}

TEST(FilePaths, TemporaryNamesAreReserved) {
  EXPECT_TRUE(IsTempName(MakeTempName()));
  EXPECT_FALSE(Allowed("a/" + MakeTempName()));
  EXPECT_FALSE(Allowed(MakeTempName() + "/a"));
  EXPECT_FALSE(IsTempName(".bucketline"));
  EXPECT_NE(MakeTempName(), MakeTempName());
}

TEST(FilePaths, FolderAndName) {
  EXPECT_EQ(FolderOf("a/b/c"), "a/b");
  EXPECT_EQ(NameOf("a/b/c"), "c");
  EXPECT_EQ(FolderOf("c"), "");
  EXPECT_EQ(NameOf("c"), "c");
}

}  // namespace
}  // namespace bucketline
