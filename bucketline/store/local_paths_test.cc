// Programs and folders of this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"
#include "bucketline/store/make_folder.h"
#include "bucketline/store/search_path.h"

namespace bucketline {
namespace {

TEST(InSearchPath, OnlyWhatCanBeStartedCounts) {
  const testing::TempFolder folder;
  folder.Put("a/tool", "");
  folder.Put("b/tool", "");
  const std::string path = folder.Path("none") + "::" + folder.Path("a") + ":" + folder.Path("b");
  EXPECT_FALSE(InSearchPath("tool", path.c_str()));  // no file is executable
  ASSERT_EQ(chmod(folder.Path("b/tool").c_str(), 0755), 0);
  EXPECT_TRUE(InSearchPath("tool", path.c_str()));
  EXPECT_FALSE(InSearchPath("tool", nullptr));
}

TEST(MakeFolder, MakesThoseAboveItTooAndIsContentWithOneThatIsThere) {
  const testing::TempFolder folder;
  MakeFolder(folder.Path("a/b"));
  MakeFolder(folder.Path("a/b"));
  folder.Put("a/b/file", "");
  try {
    MakeFolder(folder.Path("a/b/file/c"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_EQ(error.uri(), folder.Path("a/b/file/c"));
    EXPECT_THAT(error.message(), ::testing::HasSubstr("cannot make this folder"));
  }
}

}  // namespace
}  // namespace bucketline
