#include "bucketline/channel/file_index.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "bucketline/base/error.h"
#include "bucketline/base/temp_folder.h"

namespace bucketline {
namespace {

using testing::TempFolder;

TEST(FileIndexTest, RemembersFromOneRunToTheNext) {
  const TempFolder folder;
  const std::string path = folder.Path("index");
  {
    FileIndex index(path);
    EXPECT_FALSE(index.Has("a", "source", "local"));
    index.Add("a", "source", "local");
    index.Add("b", "old", "old");
    index.Add("b", "new", "new");
    EXPECT_TRUE(index.Has("a", "source", "local"));
  }
  const FileIndex index(path);
  EXPECT_TRUE(index.Has("a", "source", "local"));
  EXPECT_TRUE(index.MayHave("a", "source"));
  EXPECT_FALSE(index.MayHave("a", "another"));
  EXPECT_FALSE(index.Has("a", "another", "local"));
  EXPECT_FALSE(index.Has("a", "source", "another"));
  EXPECT_FALSE(index.Has("c", "source", "local"));
  EXPECT_TRUE(index.Has("b", "new", "new"));
  EXPECT_FALSE(index.Has("b", "old", "old")) << "the latest counts";
}

TEST(FileIndexTest, ARecordThatACrashCutOffIsNone) {
  const TempFolder folder;
  const std::string path = folder.Path("index");
  {
    FileIndex index(path);
    index.Add("a", "source", "local");
    index.Add("b", "source", "local");
  }
  std::filesystem::resize_file(path, 40);
  {
    FileIndex index(path);
    EXPECT_TRUE(index.Has("a", "source", "local"));
    EXPECT_FALSE(index.MayHave("b", "source"));
    index.Add("c", "source", "local");
  }
  EXPECT_TRUE(FileIndex(path).Has("c", "source", "local"));
}

TEST(FileIndexTest, ADamagedRecordIsNone) {
  const TempFolder folder;
  folder.Put("index", std::string(320, 'x'));
  FileIndex index(folder.Path("index"));
  index.Add("a", "source", "local");
  EXPECT_TRUE(FileIndex(folder.Path("index")).Has("a", "source", "local"));
}

TEST(FileIndexTest, NamesTheFileThatCannotBeOpened) {
  const TempFolder folder;
  try {
    FileIndex index(folder.path());
    FAIL() << "a folder is no index";
  } catch (const Error& error) {
    EXPECT_EQ(error.uri(), folder.path());
  }
}

}  // namespace
}  // namespace bucketline
